import type { InboxAddress, InboxMail } from "./inbox.ts";

/** Columns of the box, frame included. */
const DEFAULT_WIDTH = 80;
const MIN_WIDTH = 40;

/** A mail as a person would read it in a terminal: From, To, Subject and Date above the text, in a box. */
export function inboxAsText(mail: InboxMail, width: number = DEFAULT_WIDTH): string {
  const inner = Math.max(MIN_WIDTH, width) - 4;
  const to = mail.to.length > 0 ? formatAddresses(mail.to) : mail.recipients.join(", ");
  const head = [
    ["From", formatAddresses(mail.from)],
    ["To", to],
    ["Subject", mail.subject],
    ["Date", formatDate(mail.date)],
  ].flatMap(([name, value]) => wrap(`${`${name}:`.padEnd(9)}${clean(value ?? "")}`, inner));
  const body = clean(mail.text)
    .trimEnd()
    .split("\n")
    .flatMap((line) => wrap(line, inner));
  const rule = "─".repeat(inner + 2);
  const rows = (lines: string[]) => lines.map((line) => `│ ${line}${" ".repeat(inner - columnsOf(line))} │`);
  return [`┌${rule}┐`, ...rows(head), `├${rule}┤`, ...rows(body), `└${rule}┘`, ""].join("\n");
}

function formatAddresses(addresses: InboxAddress[]): string {
  return addresses.map(({ address, name }) => (name ? `${name} <${address}>` : address)).join(", ");
}

function formatDate(date: Date): string {
  return date.toUTCString().replace("GMT", "+0000");
}

/** A mail must not write to the terminal but text: no escape sequences, no reordering. */
function clean(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll("\t", "    ")
    .replace(/[^\P{Cc}\n]|[\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu, "");
}

/** `line` in pieces of at most `columns`, broken after blanks where there are any. */
function wrap(line: string, columns: number): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const word of line.match(/\s*\S+|\s+$/g) ?? [""]) {
    if (columnsOf(piece + word) <= columns) {
      piece += word;
      continue;
    }
    if (piece !== "") pieces.push(piece);
    const parts = cut(piece === "" ? word : word.trimStart(), columns);
    pieces.push(...parts.slice(0, -1));
    piece = parts.at(-1) ?? "";
  }
  return [...pieces, piece];
}

function cut(word: string, columns: number): string[] {
  const parts: string[] = [];
  let part = "";
  for (const { segment } of graphemes.segment(word)) {
    if (columnsOf(part + segment) > columns) {
      parts.push(part);
      part = "";
    }
    part += segment;
  }
  return [...parts, part];
}

const graphemes = new Intl.Segmenter();
/** East Asian Wide and Fullwidth scripts (UAX #11), and emoji: two columns in a terminal. */
const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)/u;

function columnsOf(text: string): number {
  let columns = 0;
  for (const { segment } of graphemes.segment(text))
    columns += WIDE.test(segment) ? 2 : /^\p{M}/u.test(segment) ? 0 : 1;
  return columns;
}
