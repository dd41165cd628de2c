import { isIP } from "node:net";
import type { MailServer } from "../delivery/ports.ts";
import type { ObjectMeta } from "../resources/object.ts";
import { toAsciiDomain } from "../resources/recipient.ts";
import { type Mailbox, parseMailbox } from "./address.ts";
import { parseCaBundle } from "./ca-bundle.ts";
import { problemWith, readLine, readText } from "./secret-values.ts";
import { OAUTH_KEYS, parseAuth, type ServerAuth } from "./server-auth.ts";

/** The platform's SMTP server as its Secret describes it, checked and ready to connect to. */
export interface EmailServer extends MailServer {
  readonly host: string;
  readonly port: number;
  readonly from: Mailbox;
  /** Absent when the Secret names no credentials: nobody logs in then. */
  readonly auth?: ServerAuth;
  /** `implicit`: TLS from the first byte; `starttls`: upgraded where the server offers it. */
  readonly tls: "implicit" | "starttls";
  readonly insecureSkipVerify: boolean;
  /** Certificates of CAs, in PEM, that are trusted besides those of the system. */
  readonly ca?: readonly string[];
  /** The sender's display name by language; an empty one falls back to the other, then to that of `from`. */
  readonly displayNames: { readonly en: string; readonly zh: string };
}

/** As much of a Secret as an e-mail server needs. */
export interface EmailServerSecret {
  metadata: ObjectMeta;
  data?: Record<string, string>;
}

/** Every key that is read. */
export const EMAIL_SERVER_KEYS: readonly string[] = [
  ...["host", "port", "from", "sslEnabled", "insecureSkipVerify", "ca.crt", "displayNameEn", "displayNameZh"],
  ...["username", "password", "authType", ...OAUTH_KEYS],
];

/**
 * Reads the Secret `platform-email-server`. Values lose their trailing newlines (many were made with `echo`); unknown
 * keys are left alone. Its message never holds a credential.
 * @throws EmailServerError naming the first key that is missing or wrong
 */
export function parseEmailServer(secret: EmailServerSecret): EmailServer {
  const read = (key: string) => readLine(secret.data, key);
  const auth = parseAuth(read);
  const ca = parseCaBundle(readText(secret.data, "ca.crt"));
  return {
    version: `${secret.metadata.uid ?? ""}/${secret.metadata.resourceVersion ?? ""}`,
    host: parseHost(read("host")),
    port: parsePort(read("port")),
    from: parseFrom(read("from")),
    ...(auth === undefined ? {} : { auth }),
    tls: parseFlag("sslEnabled", read("sslEnabled")) ? "implicit" : "starttls",
    insecureSkipVerify: parseFlag("insecureSkipVerify", read("insecureSkipVerify")),
    ...(ca === undefined ? {} : { ca }),
    displayNames: { en: read("displayNameEn").trim(), zh: read("displayNameZh").trim() },
  };
}

function parseHost(value: string): string {
  const text = value.trim();
  const remedy = "put the name or address of the SMTP server, such as smtp.example.com";
  if (text === "") throw problemWith("host", `is missing: ${remedy}`);
  const address = text.replace(/^\[(.*)\]$/, "$1");
  const host = isIP(address) !== 0 ? address : toAsciiDomain(text.replace(/\.$/, ""));
  if (host === undefined) throw problemWith("host", `is no host name: ${remedy}, without scheme or port`, text);
  return host;
}

function parsePort(value: string): number {
  const text = value.trim();
  const remedy = "put a number from 1 to 65535, such as 25, 465 or 587";
  if (text === "") throw problemWith("port", `is missing: ${remedy}`);
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw problemWith("port", `is no port: ${remedy}`, text);
  return port;
}

function parseFrom(value: string): Mailbox {
  const text = value.trim();
  const remedy = "put the one address that mails are sent from, such as courier@example.com";
  if (text === "") throw problemWith("from", `is missing: ${remedy}`);
  const mailbox = parseMailbox(text);
  if (mailbox === undefined) throw problemWith("from", `is not one e-mail address: ${remedy}`, text);
  if (/[^\p{ASCII}]/u.test(mailbox.address))
    throw problemWith("from", `has letters beyond ASCII before the @, which few servers take: ${remedy}`, text);
  return mailbox;
}

/** Go's strconv.ParseBool, which the platform reads these keys with; empty means false. */
function parseFlag(key: string, value: string): boolean {
  const text = value.trim();
  if (/^(?:1|t|true)$/i.test(text)) return true;
  if (/^(?:0|f|false|)$/i.test(text)) return false;
  throw problemWith(key, "is neither true nor false: put one of them", text);
}
