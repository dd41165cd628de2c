import type { RecipientOutcome } from "../delivery/ports.ts";
import { classifyFailure } from "./classify.ts";
import type { Mail } from "./compose.ts";
import type { EmailServer } from "./email-server.ts";
import { explainDelivery, explainFailure } from "./explain.ts";
import { type FailureReport, reportOf, type SmtpError } from "./failure-report.ts";
import { asksToComeLater, isTooManyRecipients } from "./reply.ts";
import type { Attempt } from "./smtp-pool.ts";

/** Greylists are made to let a mail through after a minute or more (RFC 6647 §2.1); earlier ones begin the wait anew. */
const COME_LATER_MS = 60_000;

/** An outcome whose `address` is the envelope's. */
export type AddressOutcome = RecipientOutcome;

/**
 * One outcome for each envelope recipient: a server may take a mail for some and refuse it for others. No message holds
 * `secrets`.
 */
export function outcomesOf(
  attempt: Attempt,
  mail: Mail,
  server: EmailServer,
  secrets: readonly string[],
): AddressOutcome[] {
  const refused = refusedRecipients("info" in attempt ? attempt.info : attempt);
  const untried = "error" in attempt && attempt.untried ? { untried: true as const } : {};
  return mail.envelope.to.map((address) => {
    const refusal = refused.get(address);
    if (refusal !== undefined) return failureOutcome(address, reportOf(refusal, "transaction"), server, secrets);
    if ("error" in attempt) return { ...failureOutcome(address, attemptReport(attempt), server, secrets), ...untried };
    const message = explainDelivery(attempt.info.response, server, secrets);
    return { address, reason: "Delivered", message, messageId: mail.messageId };
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

function failureOutcome(
  address: string,
  report: FailureReport,
  server: EmailServer,
  secrets: readonly string[],
): AddressOutcome {
  const reason = classifyFailure(report);
  const message = explainFailure(reason, report, server, secrets);
  return { address, reason, message, ...(isForLater(report) && { retryInMs: COME_LATER_MS }) };
}

function attemptReport({ error, stage, serverWorks }: Extract<Attempt, { error: unknown }>): FailureReport {
  return { ...reportOf(error, stage), ...(serverWorks && { serverWorks }) };
}

function isForLater({ responseCode, response = "", ...report }: FailureReport): boolean {
  return responseCode !== undefined && asksToComeLater({ ...report, responseCode }, response);
}

function refusedRecipients({ rejectedErrors }: { rejectedErrors?: unknown }): Map<unknown, SmtpError> {
  const errors: SmtpError[] = Array.isArray(rejectedErrors) ? rejectedErrors : [];
  return new Map(errors.map((error) => [error.recipient, error]));
}
