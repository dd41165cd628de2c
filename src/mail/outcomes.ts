import type { RecipientOutcome } from "../delivery/ports.ts";
import { classifyFailure } from "./classify.ts";
import type { Mail } from "./compose.ts";
import type { EmailServer } from "./email-server.ts";
import { explainDelivery, explainFailure, type FailureReport } from "./explain.ts";
import type { Attempt } from "./smtp-pool.ts";

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

function failureOutcome(address: string, report: FailureReport, server: EmailServer): AddressOutcome {
  const reason = classifyFailure(report);
  return { address, reason, message: explainFailure(reason, report, server) };
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
    ...(typeof response === "string" ? { response } : {}),
    ...(typeof message === "string" ? { text: message } : {}),
  };
}
