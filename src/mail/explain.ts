import type { Reason } from "../delivery/reasons.ts";
import { isCertificateCode } from "./classify.ts";
import type { EmailServer } from "./email-server.ts";
import type { FailureReport } from "./failure-report.ts";
import { isAboutSender, isAboutSize, recipientRemedy } from "./reply.ts";

/** Characters of a server's reply that are passed on. */
const MAX_REPLY_LENGTH = 300;

/** One line for people: what the server at `host:port` did, and what to do about it where something can be done. */
export function explainFailure(reason: Reason, report: FailureReport, server: EmailServer): string {
  const { host } = server;
  const said = describe(report, server);
  switch (reason) {
    case "RecipientRejected":
      return withRemedy(`${host} refused this recipient: ${said}`, recipientRemedy(report));
    case "MailRejected":
      return explainMailRejected(said, report, server);
    case "AuthenticationFailed":
      return `${host} refused the login: ${said}: ${loginRemedy(server)}`;
    case "TLSFailed":
      return `Cannot set up TLS with ${address(server)}: ${said}: ${tlsRemedy(report, server)}`;
    case "ServerUnavailable":
      return explainUnavailable(said, report, address(server));
    case "OutcomeUnknown":
      return `The connection to ${host} was lost after the mail was handed over, so it may have arrived: ${said}`;
    default:
      return `${host} could not take the mail now: ${said}`;
  }
}

function explainMailRejected(said: string, report: FailureReport, { host, from }: EmailServer): string {
  const reply = { ...report, responseCode: report.responseCode ?? 0 };
  if (report.responseCode !== undefined && isAboutSender(reply)) {
    const remedy = "let it accept this sender, or put another address into data.from of its Secret";
    return `${host} refused the sender ${from.address}: ${said}: ${remedy}`;
  }
  return withRemedy(`${host} refused the mail: ${said}`, isAboutSize(report) ? "shorten the template" : undefined);
}

function withRemedy(what: string, remedy: string | undefined): string {
  return remedy === undefined ? what : `${what}: ${remedy}`;
}

function loginRemedy({ auth }: EmailServer): string {
  const keys = "data.username and data.password";
  return auth === undefined ? `put ${keys} into its Secret` : `check ${keys} of its Secret`;
}

/** Without a reply nobody may be there; a server that answers is the right one, and wants patience or permission. */
function explainUnavailable(said: string, { responseCode }: FailureReport, where: string): string {
  if (responseCode === undefined) return `Cannot reach ${where}: ${said}: check data.host and data.port of its Secret`;
  const remedy = "whoever runs the server can say why it will not have courier";
  return withRemedy(`${where} gives no session: ${said}`, responseCode < 500 ? undefined : remedy);
}

/** `250 2.0.0 Ok: queued as 4F` as an outcome's message. */
export function explainDelivery(response: string, server: EmailServer): string {
  return `${server.host} took the mail: ${cleanReply(response, server)}`;
}

function describe({ response, text, originalCode, code, stage }: FailureReport, server: EmailServer): string {
  if (response !== undefined) return cleanReply(response, server);
  if (stage === "queued") return "no connection to it was free in time";
  const word = originalCode ?? code;
  return `${cleanReply(text ?? "no answer", server)}${word === undefined ? "" : ` (${word})`}`;
}

/** What an SMTP server says, made fit for a status: one line, at most 300 characters, without our credentials. */
export function cleanReply(reply: string, { auth }: Pick<EmailServer, "auth">): string {
  const hidden = auth === undefined ? [] : secretForms(auth);
  const text = hidden.reduce((masked, secret) => masked.replaceAll(secret, "[hidden]"), reply.toWellFormed());
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  return line.length > MAX_REPLY_LENGTH ? `${line.slice(0, MAX_REPLY_LENGTH - 1).toWellFormed()}…` : line;
}

/** A password as a server could echo it: in clear, or as AUTH LOGIN and AUTH PLAIN send it. Short ones hide nothing. */
function secretForms({ username, password }: NonNullable<EmailServer["auth"]>): string[] {
  const forms = [
    Buffer.from(`\0${username}\0${password}`).toString("base64"),
    Buffer.from(password).toString("base64"),
  ];
  return password.length < 4 ? forms.slice(0, 1) : [...forms, password];
}

function address({ host, port }: EmailServer): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function tlsRemedy({ originalCode, code }: FailureReport, { tls, host }: EmailServer): string {
  if (originalCode !== undefined && isCertificateCode(originalCode))
    return `give the server a certificate that is trusted and names ${host}, or set data.insecureSkipVerify to true`;
  if (tls === "implicit") return "set data.sslEnabled to false if this port does not begin with TLS";
  if (code === "ETLS") return "credentials go over TLS only: use a server with STARTTLS or data.sslEnabled";
  return "check which TLS versions the server speaks, 1.2 or later is needed";
}
