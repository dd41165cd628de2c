import type { Reason } from "../delivery/reasons.ts";
import { isCertificateCode } from "./classify.ts";
import { cleanReply } from "./clean-reply.ts";
import type { EmailServer } from "./email-server.ts";
import type { FailureReport } from "./failure-report.ts";
import { isAboutSender, isAboutSize, recipientRemedy } from "./reply.ts";

/** One line for people: what the server at `host:port` did, and what to do about it where something can be done. */
export function explainFailure(
  reason: Reason,
  report: FailureReport,
  server: EmailServer,
  secrets: readonly string[],
): string {
  const { host } = server;
  const said = describe(report, secrets);
  if (report.originalCode?.startsWith("ETOKEN") && report.response === undefined) return said; // TokenError says it all
  switch (reason) {
    case "RecipientRejected":
      return withRemedy(`${host} refused this recipient: ${said}`, recipientRemedy(report));
    case "MailRejected":
      return explainMailRejected(said, report, server);
    case "AuthenticationFailed":
      return `${host} refused the login: ${said}: ${loginRemedy(report, server)}`;
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

function loginRemedy({ responseCode }: FailureReport, { auth }: EmailServer): string {
  if (auth === undefined) return "put data.username and data.password into its Secret";
  if (auth.type === "password") return "check data.username and data.password of its Secret";
  if (responseCode === 504) return "it does not know XOAUTH2: use data.password, or another server";
  return "check data.username and data.scope of its Secret, and that data.clientId may send as this mailbox";
}

/** Without a reply nobody may be there; a server that answers is the right one, and wants patience or permission. */
function explainUnavailable(said: string, { responseCode }: FailureReport, where: string): string {
  if (responseCode === undefined) return `Cannot reach ${where}: ${said}: check data.host and data.port of its Secret`;
  const remedy = "whoever runs the server can say why it will not have courier";
  return withRemedy(`${where} gives no session: ${said}`, responseCode < 500 ? undefined : remedy);
}

/** `250 2.0.0 Ok: queued as 4F` as an outcome's message. */
export function explainDelivery(response: string, server: EmailServer, secrets: readonly string[]): string {
  return `${server.host} took the mail: ${cleanReply(response, secrets)}`;
}

function describe(report: FailureReport, secrets: readonly string[]): string {
  const { response, detail, text, originalCode, code, stage } = report;
  if (response !== undefined)
    return `${cleanReply(response, secrets)}${detail === undefined ? "" : ` (${cleanReply(detail, secrets)})`}`;
  if (stage === "queued") return "no connection to it was free in time";
  const word = originalCode ?? code;
  const isWhole = word === undefined || word.startsWith("ETOKEN");
  return `${cleanReply(text ?? "no answer", secrets)}${isWhole ? "" : ` (${word})`}`;
}

function address({ host, port }: EmailServer): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function tlsRemedy({ originalCode, code }: FailureReport, { tls, host }: EmailServer): string {
  if (originalCode !== undefined && isCertificateCode(originalCode)) return certificateRemedy(originalCode, host);
  if (tls === "implicit") return "set data.sslEnabled to false if this port does not begin with TLS";
  if (code === "ETLS") return "credentials go over TLS only: use a server with STARTTLS or data.sslEnabled";
  return "check which TLS versions the server speaks, 1.2 or later is needed";
}

function certificateRemedy(code: string, host: string): string {
  if (code === "CERT_HAS_EXPIRED") return "whoever runs the server has to renew its certificate";
  if (code === "CERT_NOT_YET_VALID") return "check the clocks of both machines";
  if (/ALTNAME|HOSTNAME/.test(code))
    return `put a name that the certificate has into data.host, or give the server one that names ${host}`;
  return 'put the certificate of its CA into data["ca.crt"] of its Secret';
}
