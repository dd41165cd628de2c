import type { RecipientOutcome } from "../delivery/ports.ts";
import { classifyFailure } from "./classify.ts";
import type { Mail } from "./compose.ts";
import type { EmailServer } from "./email-server.ts";
import { explainDelivery, explainFailure, type FailureReport } from "./explain.ts";
import { asksToComeLater, enhancedCodeOf, isTooManyRecipients } from "./reply.ts";
import type { Attempt } from "./smtp-pool.ts";

/** Greylists are made to let a mail through after a minute or more (RFC 6647 §2.1); earlier ones begin the wait anew. */
const COME_LATER_MS = 60_000;

/** An outcome whose `address` is the envelope's. */
export type AddressOutcome = RecipientOutcome;

/** What nodemailer puts on its errors, as much as we read. Checked field by field: it comes from outside. */
interface SmtpError {
  message?: unknown;
  code?: unknown;
  originalCode?: unknown;
  responseCode?: unknown;
  response?: unknown;
  command?: unknown;
  recipient?: unknown;
  rejectedErrors?: unknown;
}

/** One outcome for each envelope recipient: a server may take a mail for some and refuse it for others. */
export function outcomesOf(attempt: Attempt, mail: Mail, server: EmailServer): AddressOutcome[] {
  const refused = refusedRecipients("info" in attempt ? attempt.info : attempt.error);
  return mail.envelope.to.map((address) => {
    const refusal = refused.get(address);
    if (refusal !== undefined) return failureOutcome(address, reportOf(refusal, "transaction"), server);
    if ("error" in attempt) return failureOutcome(address, reportOf(attempt.error, attempt.stage), server);
    return { address, reason: "Delivered", message: explainDelivery(attempt.info.response, server) };
  });
}

/**
 * The recipients that the server would have taken, had they not been too many for one transaction. None where the mail
 * went to nobody: there another transaction would be no smaller.
 */
export function leftForNextTransaction(attempt: Attempt): unknown[] {
  if ("error" in attempt) return [];
  const refused = [...refusedRecipients(attempt.info)];
  return refused.filter(([, refusal]) => isLeftOver(reportOf(refusal, "transaction"))).map(([address]) => address);
}

function isLeftOver({ responseCode, ...report }: FailureReport): boolean {
  return responseCode !== undefined && isTooManyRecipients({ ...report, responseCode });
}

function failureOutcome(address: string, report: FailureReport, server: EmailServer): AddressOutcome {
  const reason = classifyFailure(report);
  const message = explainFailure(reason, report, server);
  return { address, reason, message, ...(isForLater(report) && { retryInMs: COME_LATER_MS }) };
}

function isForLater({ responseCode, response = "", ...report }: FailureReport): boolean {
  return responseCode !== undefined && asksToComeLater({ ...report, responseCode }, response);
}

function refusedRecipients(source: unknown): Map<unknown, SmtpError> {
  const { rejectedErrors } = (source ?? {}) as SmtpError;
  const errors: SmtpError[] = Array.isArray(rejectedErrors) ? rejectedErrors : [];
  return new Map(errors.map((error) => [error.recipient, error]));
}

function reportOf(error: unknown, stage: FailureReport["stage"]): FailureReport {
  const { message, code, originalCode, responseCode, response, command } = (error ?? {}) as SmtpError;
  return {
    stage,
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof originalCode === "string" ? { originalCode } : {}),
    ...(typeof responseCode === "number" ? { responseCode } : {}),
    ...(typeof command === "string" ? { command } : {}),
    ...(typeof response === "string" ? withEnhanced(response) : {}),
    ...(typeof message === "string" ? { text: message } : {}),
  };
}

function withEnhanced(response: string): Pick<FailureReport, "response" | "enhanced"> {
  const enhanced = enhancedCodeOf(response);
  return enhanced === undefined ? { response } : { response, enhanced };
}
