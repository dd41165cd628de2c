import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/**
 * Writes src/template/dates/zone-names.ts from a machine's tz database: `node test/template/make-zone-names.ts [/usr/share/zoneinfo]`.
 * Run it when a zone gets a new abbreviation; new rules alone come with Node's own Intl.
 */
const root = process.argv[2] ?? "/usr/share/zoneinfo";
const target = new URL("../../src/template/dates/zone-names.ts", import.meta.url);
const zones = new Map<string, string>();
for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
  const name = `${entry.parentPath}/${entry.name}`.slice(root.length + 1);
  if (/^(posix|right)\/|^(localtime|posixrules|Factory)$/.test(name) || entry.isDirectory()) continue;
  const file = readFileSync(`${root}/${name}`);
  if (file.toString("latin1", 0, 4) === "TZif") zones.set(name, abbreviations(file));
}

/** `offset abbreviation` in seconds; with `@from` where an offset got another name at a Unix time. */
function abbreviations(file: Buffer): string {
  const at = 44 + blockLength(file, 0, 4); // the second block has 64-bit times
  const [, , , times = 0, types = 0] = header(file, at);
  const data = at + 44;
  const names = data + times * 9 + types * 6;
  const seen = new Map<number, string>();
  const out: string[] = [];
  const note = (type: number, from?: bigint): void => {
    const record = data + times * 9 + type * 6;
    const offset = file.readInt32BE(record);
    const start = names + file.readUInt8(record + 5);
    const name = file.toString("latin1", start, file.indexOf(0, start));
    if (seen.get(offset) === name) return;
    out.push(`${offset} ${name}${seen.has(offset) && from !== undefined ? `@${from}` : ""}`);
    seen.set(offset, name);
  };
  note(0);
  for (let index = 0; index < times; index++)
    note(file.readUInt8(data + times * 8 + index), file.readBigInt64BE(data + index * 8));
  const rule =
    file
      .toString("latin1", 0, file.length - 1)
      .split("\n")
      .at(-1) ?? "";
  noteRule(rule, seen, out);
  return out.join(",");
}

/** Names that only the rule for the future has, as in `<-03>3` or `CET-1CEST`. */
function noteRule(rule: string, seen: Map<number, string>, out: string[]): void {
  const match = /^(?:<([^>]+)>|([A-Za-z]+))([+-]?\d+)(?::(\d+))?/.exec(rule);
  if (match === null) return;
  const hours = -Number(match[3]);
  const offset = hours * 3600 + Math.sign(hours) * Number(match[4] ?? 0) * 60;
  const name = match[1] ?? match[2] ?? "";
  if (!seen.has(offset)) out.push(`${offset} ${name}`);
}

function header(file: Buffer, at: number): number[] {
  return [0, 1, 2, 3, 4, 5].map((index) => file.readUInt32BE(at + 20 + index * 4));
}

function blockLength(file: Buffer, at: number, timeBytes: number): number {
  const [isUt = 0, isStd = 0, leap = 0, times = 0, types = 0, chars = 0] = header(file, at);
  return times * (timeBytes + 1) + types * 6 + chars + leap * (timeBytes + 4) + isStd + isUt;
}

const groups = new Map<string, string[]>();
for (const [name, text] of [...zones].sort()) groups.set(text, [...(groups.get(text) ?? []), name]);
const lines = [...groups].map(([text, names]) => `${text}=${names.join(" ")}`);
writeFileSync(
  target,
  `/** Abbreviations of the tz database's zones, which Intl does not know. Made by test/template/make-zone-names.ts, not by hand. */
export const ZONE_NAMES = \`
${lines.join("\n")}
\`;
`,
);
console.log(`${zones.size} zones, ${lines.length} lines`);
