/**
 * Why a recipient's mail is where it is. The set is closed: status, Events, metrics and logs use these words and no
 * others.
 */
export const REASONS = [
  "Delivered",
  "RecipientRejected",
  "MailRejected",
  "TemporaryFailure",
  "OutcomeUnknown",
  "ServerUnavailable",
  "ServerNotConfigured",
  "AuthenticationFailed",
  "TLSFailed",
  "TemplateNotFound",
  "TemplateInvalid",
  "RenderFailed",
  "SubscriptionInvalid",
  "MethodUnsupported",
  "NoRecipients",
  "Suppressed",
  "DeadlineExceeded",
] as const;

export type Reason = (typeof REASONS)[number];

/**
 * What follows from a reason:
 * - `delivered`, `final`: nothing more is tried;
 * - `retry`: again after a backoff; `retry-once`: one more time, then final;
 * - `server`: waits for the mail server (or its Secret) to get better, all messages behind one circuit;
 * - `template`: waits for the template to change.
 */
export type Consequence = "delivered" | "final" | "retry" | "retry-once" | "server" | "template";

const CONSEQUENCES: Record<Reason, Consequence> = {
  Delivered: "delivered",
  RecipientRejected: "final",
  MailRejected: "final",
  TemporaryFailure: "retry",
  OutcomeUnknown: "retry-once",
  ServerUnavailable: "server",
  ServerNotConfigured: "server",
  AuthenticationFailed: "server",
  TLSFailed: "server",
  TemplateNotFound: "template",
  TemplateInvalid: "template",
  RenderFailed: "template",
  SubscriptionInvalid: "final",
  MethodUnsupported: "final",
  NoRecipients: "final",
  Suppressed: "final",
  DeadlineExceeded: "final",
};

/** What delivery does after `reason`; see {@link Consequence}. */
export function consequenceOf(reason: Reason): Consequence {
  return CONSEQUENCES[reason];
}

/** Narrows a word read from a status to a known reason. */
export function isReason(word: unknown): word is Reason {
  return typeof word === "string" && Object.hasOwn(CONSEQUENCES, word);
}
