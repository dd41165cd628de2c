import { hash } from "node:crypto";
import { foldLines, quoteString } from "nodemailer/lib/mime-funcs";
import type { Mailbox } from "./address.ts";

/** DESIGN's cap on a subject, in characters (code points). */
const MAX_SUBJECT_LENGTH = 200;
const MAX_NAME_LENGTH = 100;
/** Bytes in one encoded word: the word and the longest header name before it stay within RFC 2047's 76 columns. */
const ENCODED_WORD_BYTES = 39;
const LINE_LENGTH = 76;

/** Control characters, line and paragraph separators: whatever could end or forge a header line. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/**
 * Characters that show nothing or reorder what stands around them: Unicode's Default_Ignorable_Code_Point and the
 * annotation marks. Joiners and variation selectors stay, emoji and Indic scripts need them.
 */
const HIDDEN =
  /[[\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--[\u200c\u200d\u180b-\u180d\ufe00-\ufe0f\u{e0100}-\u{e01ef}]]/gv;

/** One line of plain text for a header: no control, bidi and hidden characters, blanks collapsed. */
export function cleanHeaderText(text: string): string {
  return text.toWellFormed().replace(CONTROLS, " ").replace(HIDDEN, "").replace(/\s+/g, " ").trim();
}

/** A subject that is one line of at most 200 characters; a longer one is cut between graphemes and ends in `…`. */
export function cleanSubject(subject: string): string {
  const text = cleanHeaderText(subject.slice(0, 20 * MAX_SUBJECT_LENGTH));
  if (text === "") return "(no subject)";
  return capLength(text, MAX_SUBJECT_LENGTH);
}

function capLength(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const points = [...text];
  if (points.length <= limit) return text;
  let kept = "";
  let length = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    length += [...segment].length;
    if (length > limit - 1) break;
    kept += segment;
  }
  return `${kept === "" ? points.slice(0, limit - 1).join("") : kept.trimEnd()}…`;
}

/** `name: value` folded into lines of at most 76 columns where blanks allow it, non-ASCII text in encoded words. */
export function formatHeader(name: string, value: string): string {
  return foldLines(`${name}: ${value}`, LINE_LENGTH);
}

/** Unstructured text as RFC 2047 wants it: as it is when it is ASCII, else encoded words of at most 75 characters. */
export function encodeText(text: string): string {
  return needsEncoding(text) ? encodeWords(text) : text;
}

/** `address`, or `name <address>` with the name quoted or encoded. RFC 5322 §3.4. */
export function formatMailbox({ name, address }: Mailbox): string {
  const phrase = capLength(cleanHeaderText(name), MAX_NAME_LENGTH);
  if (phrase === "") return address;
  return `${needsEncoding(phrase) ? encodeWords(phrase) : quoteString(phrase)} <${address}>`;
}

/** Text that looks like an encoded word would be decoded by the reader, so it is encoded too. */
function needsEncoding(text: string): boolean {
  return /[^\x20-\x7e]|=\?/.test(text);
}

function encodeWords(text: string): string {
  const words: string[] = [];
  let chunk = "";
  let bytes = 0;
  for (const character of text) {
    const size = Buffer.byteLength(character);
    if (bytes + size > ENCODED_WORD_BYTES) {
      words.push(chunk);
      chunk = "";
      bytes = 0;
    }
    chunk += character;
    bytes += size;
  }
  return [...words, chunk].map((word) => `=?UTF-8?B?${Buffer.from(word).toString("base64")}?=`).join(" ");
}

/** RFC 5322 §3.3, in UTC: `Sun, 22 Nov 2026 16:32:02 +0000`. */
export function formatDate(date: Date): string {
  return date.toUTCString().replace("GMT", "+0000");
}

/**
 * The Message-ID of one task's mail, without brackets: the same for every attempt, whoever of the recipients is left,
 * so that servers and readers recognise a repeat. RFC 5322 §3.6.4.
 */
export function messageIdOf(uid: string, taskId: string, domain: string): string {
  return `${shortHash(uid)}.${shortHash(taskId)}@${domain}`;
}

/** The id of a mail that never existed: all mail about one source refers to it, and so stands in one thread. */
export function threadRootOf(source: string, domain: string): string {
  return `thread.${shortHash(source)}@${domain}`;
}

function shortHash(text: string): string {
  return hash("sha256", text).slice(0, 24);
}

/** `EN` → `en`, `zh_CN` → `zh-CN`; undefined when the label is no language tag. RFC 3282, BCP 47. */
export function languageTag(label: string | undefined): string | undefined {
  if (label === undefined || label === "") return undefined;
  try {
    return Intl.getCanonicalLocales(label.replaceAll("_", "-"))[0];
  } catch {
    return undefined;
  }
}
