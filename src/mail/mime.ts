import { encode as encodeQuotedPrintable, wrap as wrapQuotedPrintable } from "nodemailer/lib/qp";

/** A part of a multipart body: its header lines (without the blank one) and its encoded content. */
interface EncodedPart {
  encoding: "7bit" | "quoted-printable" | "base64";
  content: string;
}

const LINE_LENGTH = 76;
/** From this share of bytes beyond ASCII on, base64 is the shorter form: Chinese mail takes half the bytes. */
const BASE64_SHARE = 0.2;

/** A `text/…` part in UTF-8, every line at most 76 columns. `boundary` never occurs in it. RFC 2045 §6. */
export function textPart(subtype: "plain" | "html", text: string): string {
  const { encoding, content } = encodePart(text);
  return `Content-Type: text/${subtype}; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${content}`;
}

/** Text first, HTML last: readers show the last one they can. RFC 2046 §5.1.4. */
export function multipartAlternative(boundary: string, parts: string[]): string {
  return `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join("")}--${boundary}--\r\n`;
}

/** A boundary for this mail: `=_` is in no quoted-printable, base64 or (see {@link isPlain}) 7bit content. */
export function boundaryOf(messageId: string): string {
  return `=_${messageId.replace(/@.*$/, "")}`.slice(0, 70);
}

function encodePart(text: string): EncodedPart {
  if (isPlain(text)) return { encoding: "7bit", content: text.replaceAll("\n", "\r\n") };
  const bytes = Buffer.from(text.replaceAll("\n", "\r\n"));
  if (bytes.length - text.length > BASE64_SHARE * bytes.length)
    return { encoding: "base64", content: wrapBase64(bytes.toString("base64")) };
  return { encoding: "quoted-printable", content: wrapQuotedPrintable(encodeQuotedPrintable(bytes), LINE_LENGTH) };
}

/** ASCII in short lines, with nothing that a relay might rewrite (`From ` at a line's start, blanks at its end). */
function isPlain(text: string): boolean {
  return !/[^\t\n\x20-\x7e]|=_|^[^\n]{77}|^From |[ \t]$/m.test(text);
}

function wrapBase64(text: string): string {
  return text.match(/.{1,76}/g)?.join("\r\n") ?? "";
}
