/** What the SMTP server's process is told, what it tells, and how it decides. Pure. */
import { draw } from "./random.ts";

/** What can go wrong, and where. `drop`: the connection is closed without a word. */
export type SmtpFault =
  | "greeting-421"
  | "sender-421"
  | "sender-451"
  | "recipient-451"
  | "recipient-550"
  | "mail-451"
  | "mail-554"
  | "drop-before-dot"
  | "drop-after-dot"
  | "lose-answer"
  | "too-slow";

export interface SmtpMode {
  /** Milliseconds before a reply: at least, at most. */
  delayMs: [number, number];
  /** Longer than the client waits; what `too-slow` means. */
  tooSlowMs: number;
  /** Chance of each, 0 to 1. */
  faults: Partial<Record<SmtpFault, number>>;
}

export const CALM: SmtpMode = { delayMs: [1, 12], tooSlowMs: 0, faults: {} };

export type SmtpCommand =
  | { type: "start"; host: string; port: number; seed: string }
  | { type: "mode"; mode: SmtpMode }
  /** Closes the port and every connection; `resume` opens the port again. */
  | { type: "suspend" | "resume" | "flush" };

/**
 * How a mail ended after its final dot. `lost`: accepted, and the client was not told; `vanished`: neither accepted nor
 * answered; `refused`: with `code`; `torn`: the connection went while the mail came, its final dot perhaps under way.
 */
export type DotAnswer = "accepted" | "lost" | "vanished" | "refused" | "torn";

/** `at` is milliseconds since the epoch, `client` the name that it greeted with. */
export type SmtpEvent =
  | { type: "begin"; id: number; client: string; at: number }
  /** A recipient was taken or, with `code`, refused. */
  | { type: "recipient"; id: number; address: string; code?: number; at: number }
  /** It ended without a final dot. */
  | { type: "over"; id: number; at: number }
  | { type: "dot"; id: number; messageId: string; answer: DotAnswer; code?: number; at: number };

/** What the process says: an event, or that command `done` is carried out (with the port, where one was opened). */
export type SmtpReport = { event: SmtpEvent } | { done: number; port?: number };

/** Whether `fault` befalls `subject` the `nth` time it is tried. */
export function befalls(seed: string, mode: SmtpMode, fault: SmtpFault, subject: string, nth: number): boolean {
  const chance = mode.faults[fault] ?? 0;
  return chance > 0 && draw(seed, fault, subject, nth) < chance;
}

/** How the server meets a recipient whatever the mode: the address says so by its beginning. */
export function standingReply(address: string, nth: number): string | undefined {
  if (address.startsWith("refused-")) return "550 5.1.1 No such user here";
  if (address.startsWith("busy-") && nth === 1) return "451 4.2.1 Mailbox busy, try again later";
  return undefined;
}

/** Whether it closes the connection instead of answering the final dot, every time. */
export function isSilenced(to: string[]): boolean {
  return to.some((address) => address.startsWith("silent-"));
}

/** How it meets a mail for these recipients after the final dot. */
export function standingRefusal(to: string[]): string | undefined {
  return to.some((address) => address.startsWith("policy-")) ? "554 5.7.1 Refused by policy" : undefined;
}
