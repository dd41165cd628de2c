import type { Played } from "./play.ts";
import type { Verdict } from "./verdict.ts";

export interface Row {
  phase: string;
  verdict: Verdict;
  played: Played;
}

const HEADINGS = ["phase", "created", "accepted", "repeats", "allowed", "failed", "seconds", "requests", "by reason"];

/** One line a phase and their sum, in columns. */
export function formatTable(rows: Row[]): string {
  const sum = (figure: (row: Row) => number) => rows.reduce((total, row) => total + figure(row), 0);
  const figures: ((row: Row) => number)[] = [
    ({ verdict }) => verdict.created,
    ({ verdict }) => verdict.accepted,
    ({ verdict }) => verdict.repeats,
    ({ verdict }) => verdict.allowed,
    ({ verdict }) => [...verdict.failed.values()].reduce((total, count) => total + count, 0),
    ({ played }) => Math.round(played.seconds),
    ({ played }) => played.requests,
  ];
  const lines = [
    HEADINGS,
    ...rows.map((row) => [row.phase, ...figures.map((figure) => `${figure(row)}`), formatReasons(row.verdict)]),
    ["all", ...figures.map((figure) => `${sum(figure)}`), ""],
  ];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column === 0 || column === HEADINGS.length - 1
      ? cell.padEnd(widths[column] ?? 0)
      : cell.padStart(widths[column] ?? 0);
  return lines.map((line) => line.map(pad).join("  ").trimEnd()).join("\n");
}

/** The faults of a phase, with what each found in flight. */
export function formatDisturbances({ disturbances }: Verdict): string[] {
  return disturbances.map(
    ({ what, inFlight, repeated }) => `  ${what}: ${inFlight} mails in flight, ${repeated} of them sent again`,
  );
}

function formatReasons({ failed }: Verdict): string {
  return [...failed].map(([reason, count]) => `${reason} ${count}`).join(", ");
}
