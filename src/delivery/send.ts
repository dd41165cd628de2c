/** Third stage, called by reconcile.ts: rendered task → outcomes, through the circuit of the mail server. */
import { backoffMs } from "../control/backoff.ts";
import type { Circuit } from "../control/circuit.ts";
import type { Logger } from "../observe/logger.ts";
import { type Draft, MAX_RECIPIENTS, type Mailer, type MailServer, type RecipientOutcome } from "./ports.ts";
import type { AttemptOutcome } from "./progress.ts";
import { consequenceOf, type Reason } from "./reasons.ts";

/** A probe is one message: at this cap the first mail is out five seconds after the server is back. */
const SERVER_AWAY = { firstMs: 1000, capMs: 4000 };
/** A refused login or certificate does not mend itself; the Secret's change is what usually ends the wait. */
const SERVER_REFUSES_MS = 5 * 60_000;

/** Why the mail server is not asked at the moment. */
export type ServerTrouble = Pick<RecipientOutcome, "reason" | "message">;

export interface SendPorts {
  mailer: Mailer;
  circuit: Circuit<ServerTrouble>;
  logger: Logger;
  /** Called when the server answers again after a time in which it did not. */
  onServerBack(): void;
  /** Rejects when this process may no longer send, and waits while nothing can be recorded. */
  permit(signal: AbortSignal): Promise<void>;
  /** Throws when this process may no longer send; asked again as late in a mail as can be. */
  assertHeld(): void;
  /** Why courier does not mail `address` now; undefined where it does, and then that is counted. */
  admit(address: string): string | undefined;
  /** The mail to `address` that was counted could not be sent. */
  giveBack(address: string): void;
}

/** Sends one task's mail to `draft.to`, in as many mails as it takes; yields the outcomes of each mail as it ends. */
export async function* sendTask(
  draft: Draft,
  server: MailServer,
  ports: SendPorts,
  signal: AbortSignal,
): AsyncGenerator<AttemptOutcome[]> {
  for (let start = 0; start < draft.to.length; start += MAX_RECIPIENTS) {
    const part = { ...draft, to: draft.to.slice(start, start + MAX_RECIPIENTS) };
    yield await sendMail(part, server, ports, signal);
  }
}

async function sendMail(
  draft: Draft,
  server: MailServer,
  ports: SendPorts,
  signal: AbortSignal,
): Promise<AttemptOutcome[]> {
  await ports.permit(signal);
  const trouble = ports.circuit.tryEnter();
  if (trouble !== undefined) return untriedForAll(draft.to, trouble.reason, trouble.message);
  const isProbe = ports.circuit.failures > 0;
  try {
    const { to, suppressed } = admitAll(draft.to, ports);
    if (to.length === 0) return suppressed;
    const facts = { from: [server.from.address], to };
    ports.logger.info(facts, "Email begin");
    const outcomes = await ports.mailer.send({ ...draft, to }, server, ports.assertHeld, signal);
    judgeServer(outcomes, ports);
    logAccepted(outcomes, ports.logger);
    ports.logger.info(facts, "Email end");
    for (const { address, reason } of outcomes) if (consequenceOf(reason) === "server") ports.giveBack(address);
    return [...outcomes, ...suppressed];
  } finally {
    if (isProbe) ports.circuit.release();
  }
}

/** What finds the mails in the mail server's own log: their Message-ID, and its answers, which often name the queue's. */
function logAccepted(outcomes: RecipientOutcome[], logger: Logger): void {
  const accepted = outcomes.filter(({ reason }) => reason === "Delivered");
  if (accepted.length === 0) return;
  const answers = [...new Set(accepted.map(({ message }) => message))];
  logger.info({ messageId: accepted[0]?.messageId, answers }, "Email accepted");
}

/** The recipients that may be mailed, and the outcomes of those that may not: their number is limited. */
function admitAll(addresses: string[], { admit }: SendPorts): { to: string[]; suppressed: AttemptOutcome[] } {
  const to: string[] = [];
  const suppressed: AttemptOutcome[] = [];
  for (const address of addresses) {
    const message = admit(address);
    if (message === undefined) to.push(address);
    else suppressed.push(...untriedForAll([address], "Suppressed", message));
  }
  return { to, suppressed };
}

/**
 * Opens the circuit when the server itself is the trouble, closes it when a mail got through. What else may have happened
 * (a refusal, a mail that could not even be composed) says nothing about the server: the next one probes.
 */
function judgeServer(outcomes: RecipientOutcome[], { circuit, onServerBack }: SendPorts): void {
  const trouble = outcomes.find(({ reason }) => consequenceOf(reason) === "server");
  if (trouble !== undefined) {
    const away = trouble.reason === "ServerUnavailable";
    circuit.open(away ? backoffMs(circuit.failures + 1, SERVER_AWAY) : SERVER_REFUSES_MS, trouble);
  } else if (outcomes.some(({ reason }) => reason === "Delivered") && circuit.close()) onServerBack();
}

/** The same outcome for every address, without a mail begun for it. */
export function untriedForAll(addresses: string[], reason: Reason, message: string): AttemptOutcome[] {
  return addresses.map((address) => ({ address, reason, message, untried: true }));
}
