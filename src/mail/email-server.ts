import { isIP } from "node:net";
import type { MailServer } from "../delivery/ports.ts";
import type { ObjectMeta } from "../resources/object.ts";
import { toAsciiDomain } from "../resources/recipient.ts";
import { type Mailbox, parseMailbox } from "./address.ts";

/** The platform's SMTP server as its Secret describes it, checked and ready to connect to. */
export interface EmailServer extends MailServer {
  readonly host: string;
  readonly port: number;
  readonly from: Mailbox;
  /** Absent when the Secret names no credentials: nobody logs in then. */
  readonly auth?: { readonly username: string; readonly password: string };
  /** `implicit`: TLS from the first byte; `starttls`: upgraded where the server offers it. */
  readonly tls: "implicit" | "starttls";
  readonly insecureSkipVerify: boolean;
  /** The sender's display name by language; an empty one falls back to the other, then to that of `from`. */
  readonly displayNames: { readonly en: string; readonly zh: string };
}

/** As much of a Secret as an e-mail server needs. */
export interface EmailServerSecret {
  metadata: ObjectMeta;
  data?: Record<string, string>;
}

/** The Secret does not describe a usable server; `key` is the data key at fault, the message says what to put there. */
export class EmailServerError extends Error {
  override readonly name = "EmailServerError";
  readonly key: string;

  constructor(key: string, problem: string) {
    super(problem);
    this.key = key;
  }
}

/**
 * Reads the Secret `platform-email-server`. Values lose their trailing newlines (many were made with `echo`); unknown
 * keys are left alone. Its message never holds a credential.
 * @throws EmailServerError naming the first key that is missing or wrong
 */
export function parseEmailServer(secret: EmailServerSecret): EmailServer {
  const read = (key: string) => decodeValue(secret.data, key);
  const auth = parseAuth(read("username"), read("password"));
  return {
    version: `${secret.metadata.uid ?? ""}/${secret.metadata.resourceVersion ?? ""}`,
    host: parseHost(read("host")),
    port: parsePort(read("port")),
    from: parseFrom(read("from")),
    ...(auth === undefined ? {} : { auth }),
    tls: parseFlag("sslEnabled", read("sslEnabled")) ? "implicit" : "starttls",
    insecureSkipVerify: parseFlag("insecureSkipVerify", read("insecureSkipVerify")),
    displayNames: { en: read("displayNameEn").trim(), zh: read("displayNameZh").trim() },
  };
}

const CREDENTIALS = new Set(["username", "password"]);
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** The text under `key`, or "" when the key is absent. */
function decodeValue(data: Record<string, string> | undefined, key: string): string {
  const encoded: unknown = data !== undefined && Object.hasOwn(data, key) ? data[key] : "";
  if (typeof encoded !== "string" || !BASE64.test(encoded.replace(/\s/g, "")))
    throw new EmailServerError(key, `data.${key} is not base64: put the value in base64, or use stringData`);
  const text = decodeUtf8(Buffer.from(encoded, "base64"))?.replace(/[\r\n]+$/, "");
  if (text === undefined) throw new EmailServerError(key, `data.${key} is not UTF-8 text: put plain text, in base64`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text))
    throw new EmailServerError(key, `data.${key} has a line break or control character inside: put one line of text`);
  return text;
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parseHost(value: string): string {
  const text = value.trim();
  const remedy = "put the name or address of the SMTP server, such as smtp.example.com";
  if (text === "") throw new EmailServerError("host", `data.host is missing: ${remedy}`);
  const address = text.replace(/^\[(.*)\]$/, "$1");
  const host = isIP(address) !== 0 ? address : toAsciiDomain(text.replace(/\.$/, ""));
  if (host === undefined) throw wrong("host", text, `is no host name: ${remedy}, without scheme or port`);
  return host;
}

function parsePort(value: string): number {
  const text = value.trim();
  const remedy = "put a number from 1 to 65535, such as 25, 465 or 587";
  if (text === "") throw new EmailServerError("port", `data.port is missing: ${remedy}`);
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw wrong("port", text, `is no port: ${remedy}`);
  return port;
}

function parseFrom(value: string): Mailbox {
  const text = value.trim();
  const remedy = "put the one address that mails are sent from, such as courier@example.com";
  if (text === "") throw new EmailServerError("from", `data.from is missing: ${remedy}`);
  const mailbox = parseMailbox(text);
  if (mailbox === undefined) throw wrong("from", text, `is not one e-mail address: ${remedy}`);
  if (/[^\p{ASCII}]/u.test(mailbox.address))
    throw wrong("from", text, `has letters beyond ASCII before the @, which few servers take: ${remedy}`);
  return mailbox;
}

function parseAuth(username: string, password: string): EmailServer["auth"] {
  if (username === "" && password === "") return undefined;
  if (username === "") throw missingHalf("username", "password");
  if (password === "") throw missingHalf("password", "username");
  return { username, password };
}

function missingHalf(key: string, other: string): EmailServerError {
  return new EmailServerError(key, `data.${key} is missing while data.${other} is set: put both, or neither`);
}

/** Go's strconv.ParseBool, which the platform reads these keys with; empty means false. */
function parseFlag(key: string, value: string): boolean {
  const text = value.trim();
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false|)$/i.test(text)) return false;
  throw wrong(key, text, "is neither true nor false: put one of them");
}

function wrong(key: string, found: string, problem: string): EmailServerError {
  const shown = CREDENTIALS.has(key) ? "" : ` "${found.length > 60 ? `${found.slice(0, 59)}…` : found}"`;
  return new EmailServerError(key, `data.${key}${shown} ${problem}`);
}
