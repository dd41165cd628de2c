import type { SmtpFailure } from "./classify.ts";
import { enhancedCodeOf } from "./reply.ts";

/** A failure as it came: the codes, and the words of server or system. */
export interface FailureReport extends SmtpFailure {
  /** The server's reply, any number of lines. */
  response?: string;
  /** What the server had said before its reply, where it was asked for more (SASL). */
  detail?: string;
  /** What Node or nodemailer says; used only where no reply came. */
  text?: string;
}

/** What nodemailer puts on its errors, as much as we read. Checked field by field: it comes from outside. */
export interface SmtpError {
  message?: unknown;
  code?: unknown;
  originalCode?: unknown;
  responseCode?: unknown;
  response?: unknown;
  command?: unknown;
  detail?: unknown;
  recipient?: unknown;
  rejectedErrors?: unknown;
}

/** What is known of `error`, which ended a mail at `stage`. */
export function reportOf(error: unknown, stage: FailureReport["stage"]): FailureReport {
  const { message, code, originalCode, responseCode, response, command, detail } = (error ?? {}) as SmtpError;
  return {
    stage,
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof originalCode === "string" ? { originalCode } : {}),
    ...(typeof responseCode === "number" ? { responseCode } : {}),
    ...(typeof command === "string" ? { command } : {}),
    ...(typeof response === "string" ? withEnhanced(response) : {}),
    ...(typeof detail === "string" ? { detail } : {}),
    ...(typeof message === "string" ? { text: message } : {}),
  };
}

function withEnhanced(response: string): Pick<FailureReport, "response" | "enhanced"> {
  const enhanced = enhancedCodeOf(response);
  return enhanced === undefined ? { response } : { response, enhanced };
}
