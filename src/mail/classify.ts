import type { Reason } from "../delivery/reasons.ts";
import { isAboutSender } from "./reply.ts";

/**
 * How far a mail has come when its sending fails:
 * - `queued`: waiting for a connection of the pool; `connecting`: TCP, greeting, TLS, login;
 * - `transaction`: MAIL, RCPT, DATA; `handed-over`: the last byte was written, final dot included.
 */
export type SendStage = "queued" | "connecting" | "transaction" | "handed-over";

/** What is known of a failed command or connection, in nodemailer's and Node's codes. Texts are never looked at. */
export interface SmtpFailure {
  stage: SendStage;
  /** nodemailer's word: `EAUTH`, `ETLS`, `ESOCKET`, … */
  code?: string;
  /** The system's or OpenSSL's word behind it: `ECONNREFUSED`, `DEPTH_ZERO_SELF_SIGNED_CERT`, … */
  originalCode?: string;
  /** The SMTP reply code, absent when no reply came. */
  responseCode?: number;
  /** The reply's enhanced status code, such as `5.1.1`. */
  enhanced?: string;
  /** The command it answers: `MAIL FROM`, `RCPT TO`, `DATA`, `AUTH …`, `STARTTLS`, `EHLO`, or `CONN`. */
  command?: string;
  /** Other mails go through the server: that this one had no connection does not make it unavailable. */
  serverWorks?: boolean;
}

/** Replies that ask for (another) login, whatever command they answer. RFC 4954 §6. */
const LOGIN_REPLIES = new Set([530, 534, 535, 538]);

/** The reason for a failure. RFC 5321 §4.2.1: 4yz may be tried again, 5yz not; 503 is about the session, not the mail. */
export function classifyFailure(failure: SmtpFailure): Reason {
  return failure.responseCode === undefined ? classifyLoss(failure) : classifyReply(failure, failure.responseCode);
}

function classifyReply(failure: SmtpFailure, responseCode: number): Reason {
  const { code, command = "" } = failure;
  if (code === "ETLS" || command === "STARTTLS") return "TLSFailed";
  const temporary = responseCode < 500 || responseCode === 503;
  const isLogin = code === "EAUTH" || command.startsWith("AUTH") || LOGIN_REPLIES.has(responseCode);
  if (isLogin && !temporary) return "AuthenticationFailed";
  if (isBeforeSession(failure)) return noSession(failure);
  if (temporary) return "TemporaryFailure";
  const refusesRecipient = command === "RCPT TO" && !isAboutSender({ ...failure, responseCode });
  return refusesRecipient ? "RecipientRejected" : "MailRejected";
}

function classifyLoss(failure: SmtpFailure): Reason {
  const { code, originalCode, stage } = failure;
  if (originalCode === "ETOKENAWAY") return "ServerUnavailable";
  if (originalCode === "ETOKENTLS") return "TLSFailed";
  if (code === "EAUTH" || code === "ENOAUTH") return "AuthenticationFailed";
  if (code === "ETLS" || code === "EREQUIRETLS" || isTlsCode(originalCode)) return "TLSFailed";
  if (code === "EMESSAGE" || code === "EENVELOPE") return "MailRejected"; // nodemailer saw it: the announced SIZE
  if (stage === "handed-over") return "OutcomeUnknown";
  return stage === "connecting" ? noSession(failure) : "TemporaryFailure";
}

function isBeforeSession({ stage }: SmtpFailure): boolean {
  return stage === "queued" || stage === "connecting";
}

function noSession({ serverWorks }: SmtpFailure): Reason {
  return serverWorks ? "TemporaryFailure" : "ServerUnavailable";
}

/** Certificate verification results of OpenSSL as Node names them (X509_V_ERR_…). */
const CERTIFICATE_CODE =
  /^(?:UNABLE_TO_|CERT_|CRL_|ERROR_IN_C|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_|HOSTNAME_MISMATCH$)/;

/** Whether a system code says that TLS itself failed, rather than the connection under it. */
export function isTlsCode(code: string | undefined): boolean {
  return code !== undefined && (/^ERR_(?:TLS|SSL)_|^EPROTO$/.test(code) || isCertificateCode(code));
}

/** Whether the server's certificate is what was not accepted. */
export function isCertificateCode(code: string): boolean {
  return CERTIFICATE_CODE.test(code) || code === "ERR_TLS_CERT_ALTNAME_INVALID";
}
