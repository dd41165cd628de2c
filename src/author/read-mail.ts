/** Reads back what mail/compose.ts wrote, so that a preview shows the mail and not what went into it. */

export interface MailParts {
  text: string;
  /** The whole HTML document. */
  html: string;
}

/** The alternatives of a composed mail, decoded; lines end in `\n`. */
export function readMailParts(content: Buffer): MailParts {
  const mail = content.toString("latin1");
  const boundary = /boundary="([^"]+)"/.exec(mail)?.[1] ?? "";
  const parts = mail.split(`--${boundary}`).slice(1);
  const decoded = (type: string) => parts.map(readPart).find((part) => part.type === type)?.text ?? "";
  return { text: decoded("text/plain"), html: decoded("text/html") };
}

function readPart(part: string): { type: string; text: string } {
  const end = part.indexOf("\r\n\r\n");
  const header = part.slice(0, Math.max(end, 0));
  const body = part.slice(end + 4).replace(/\r\n$/, "");
  const type = /^content-type: *([^;\s]+)/im.exec(header)?.[1] ?? "";
  const encoding = /^content-transfer-encoding: *(\S+)/im.exec(header)?.[1] ?? "7bit";
  return { type, text: decode(body, encoding).toString("utf8").replaceAll("\r\n", "\n") };
}

/** RFC 2045 §6.7 and §6.8. */
function decode(body: string, encoding: string): Buffer {
  if (encoding === "base64") return Buffer.from(body, "base64");
  if (encoding !== "quoted-printable") return Buffer.from(body, "latin1");
  const text = body
    .replace(/[ \t]*=\r\n/g, (fold) => fold.slice(0, fold.indexOf("=")))
    .replace(/=([0-9A-F]{2})/gi, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, "latin1");
}
