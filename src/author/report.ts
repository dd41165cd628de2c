/** Findings for people, programs and GitHub. Pure. */
import type { Finding } from "./finding.ts";

export type ReportFormat = "text" | "json" | "github";

/** How text is to look; `paint` gets what it stands for and the text. */
export interface Look {
  /** Whether the line itself is shown, with a caret under the place. */
  excerpts: boolean;
  paint(style: "red" | "yellow" | "bold" | "dim", text: string): string;
}

/** `file:line:column  message`, and where `look` has excerpts the line with a caret under it. */
export function formatFinding(finding: Finding, { excerpts, paint }: Look): string {
  const { file, line, column, severity, message, sourceLine } = finding;
  const colour = severity === "error" ? "red" : "yellow";
  const word = severity === "error" ? "" : paint(colour, "warning: ");
  const head = `${paint("bold", `${file}:${line}:${column}`)}  ${word}${severity === "error" ? paint(colour, message) : message}`;
  if (!excerpts || sourceLine === undefined || sourceLine.trim() === "") return head;
  return `${head}\n${excerptOf(sourceLine, line, column, (text) => paint(colour, text), paint)}`;
}

/** Widest excerpt; a longer line is shown around the place. */
const EXCERPT_WIDTH = 110;

function excerptOf(
  text: string,
  line: number,
  column: number,
  paintCaret: (text: string) => string,
  paint: Look["paint"],
): string {
  const gutter = String(line);
  const characters = [...text.replaceAll("\t", " ")].map((character) => (/\p{Cc}/u.test(character) ? "�" : character));
  const from = Math.max(0, Math.min(column - 1 - EXCERPT_WIDTH / 2, characters.length - EXCERPT_WIDTH));
  const start = characters.length > EXCERPT_WIDTH ? Math.floor(from) : 0;
  const shown = characters.slice(start, start + EXCERPT_WIDTH);
  const before = shown.slice(0, column - 1 - start).map((character) => (isWide(character) ? "  " : " "));
  const bar = paint("dim", "|");
  return `  ${paint("dim", gutter)} ${bar} ${shown.join("")}\n  ${" ".repeat(gutter.length)} ${bar} ${before.join("")}${paintCaret("^")}`;
}

/** Characters that terminals give two columns. */
function isWide(character: string): boolean {
  return /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\p{Emoji_Presentation}]/u.test(
    character,
  );
}

/** One line a finding, as GitHub Actions turns it into an annotation of the file. */
export function formatGithub({ file, line, column, severity, rule, message }: Finding): string {
  const place = `file=${escapeProperty(file)},line=${line},col=${column},title=${escapeProperty(`courier: ${rule}`)}`;
  return `::${severity} ${place}::${escapeData(message)}`;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** `2 errors, 1 warning`. */
export function countFindings(findings: readonly Finding[]): string {
  const count = (severity: string) => findings.filter((finding) => finding.severity === severity).length;
  const say = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  return `${say(count("error"), "error")}, ${say(count("warning"), "warning")}`;
}
