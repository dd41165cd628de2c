import { limitedSignal } from "../control/limited-signal.ts";
import { type Draft, MAX_RECIPIENTS, type MailServer, type RecipientOutcome } from "../delivery/ports.ts";
import { parseRecipient } from "../resources/recipient.ts";
import { composeMail, type Mail } from "./compose.ts";
import type { EmailServer } from "./email-server.ts";
import { MailBodyError } from "./html.ts";
import { type AddressOutcome, leftForNextTransaction, outcomesOf } from "./outcomes.ts";
import { createPoolCache } from "./pool-cache.ts";
import type { Attempt, SmtpPool, SmtpPoolOptions } from "./smtp-pool.ts";

export interface SmtpMailerOptions extends Partial<SmtpPoolOptions> {
  /** One mail's whole time, from waiting for a connection to the server's answer. Default 5 minutes. */
  sendTimeoutMs?: number;
  /** The clock behind the Date header. */
  now?: () => Date;
}

/** delivery's `Mailer` over SMTP, for servers that {@link parseEmailServer} has read. */
export interface SmtpMailer {
  /**
   * One outcome for each address of `draft.to`, in its order. Rejects only when `signal` aborts before the mail was
   * handed over, and with what `permit` throws: it is asked to the last before the final dot.
   */
  send(draft: Draft, server: MailServer, permit: () => void, signal: AbortSignal): Promise<RecipientOutcome[]>;
  /** Waits for the mails under way, then ends all connections; nothing can be sent afterwards. */
  close(): Promise<void>;
}

/** A mailer that keeps connections to a server alive and lets go of them when the server's Secret changes. */
export function createSmtpMailer(options: SmtpMailerOptions = {}): SmtpMailer {
  const { sendTimeoutMs = 5 * 60_000, now = () => new Date() } = options;
  const pools = createPoolCache(withDefaults(options));

  async function deliver(pool: SmtpPool, draft: Draft, server: EmailServer, permit: () => void, signal: AbortSignal) {
    const mail = tryCompose(draft, server, now());
    if (mail instanceof MailBodyError) return refusedBody(draft.to, mail);
    using limited = limitedSignal(signal, sendTimeoutMs);
    const send = (part: Mail) => pool.send(part, permit, limited.signal);
    const tell = (attempt: Attempt, part: Mail) => outcomesOf(attempt, part, server, pool.secrets);
    return await transact(mail, send, tell, () => {
      signal.throwIfAborted();
      permit();
    });
  }

  return {
    send(draft, mailServer, permit, signal) {
      const server = mailServer as EmailServer;
      return pools.use(server, async (pool) => {
        signal.throwIfAborted();
        checkCount(draft.to);
        const recipients = await checkRecipients(draft.to, pool);
        const to = [...new Set(recipients.flatMap((recipient) => ("address" in recipient ? [recipient.address] : [])))];
        const outcomes = to.length === 0 ? [] : await deliver(pool, { ...draft, to }, server, permit, signal);
        return recipients.map((recipient) => outcomeFor(recipient, outcomes));
      });
    },
    close: () => pools.close(),
  };
}

/**
 * Hands the mail to the server, in more transactions where it takes fewer recipients at a time than we name. Each one
 * delivers to somebody, so there are never more of them than recipients.
 */
async function transact(
  mail: Mail,
  send: (part: Mail) => Promise<Attempt>,
  tell: (attempt: Attempt, part: Mail) => AddressOutcome[],
  /** Throws where nothing is to be sent any more. */
  goOn: () => void,
): Promise<AddressOutcome[]> {
  const told: AddressOutcome[] = [];
  let to: string[] = mail.envelope.to;
  while (to.length > 0) {
    const part = { ...mail, envelope: { ...mail.envelope, to } };
    const attempt = await send(part);
    const isUnsent = "error" in attempt && attempt.stage !== "handed-over";
    if (isUnsent && told.length === 0) goOn();
    const left = leftForNextTransaction(attempt);
    told.push(...tell(attempt, part).filter(({ address }) => !left.includes(address)));
    to = to.filter((address) => left.includes(address));
  }
  return told;
}

function tryCompose(draft: Draft, server: EmailServer, date: Date): Mail | MailBodyError {
  try {
    return composeMail(draft, server, date);
  } catch (error) {
    if (error instanceof MailBodyError) return error;
    throw error;
  }
}

function refusedBody(to: string[], { message }: MailBodyError): AddressOutcome[] {
  return to.map((address) => ({ address, reason: "MailRejected", message }));
}

function withDefaults(options: SmtpMailerOptions): SmtpPoolOptions {
  return {
    maxConnections: options.maxConnections ?? 10,
    allowPlainAuth: options.allowPlainAuth ?? false,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    socketTimeoutMs: options.socketTimeoutMs ?? 60_000,
    ...(options.heloName === undefined ? {} : { heloName: options.heloName }),
  };
}

function checkCount({ length }: string[]): void {
  if (length > MAX_RECIPIENTS)
    throw new RangeError(`Cannot send one mail to ${length} recipients: at most ${MAX_RECIPIENTS}`);
}

/** A destination as the message names it, and what SMTP makes of it. */
type Recipient = { destination: string } & ({ address: string } | { refusal: string });

async function checkRecipients(destinations: string[], pool: SmtpPool): Promise<Recipient[]> {
  const parsed = destinations.map((destination) => ({ destination, ...parseRecipient(destination) }));
  const needsUtf8 = parsed.some((recipient) => "address" in recipient && recipient.needsSmtpUtf8);
  if (!needsUtf8 || (await pool.takesUtf8Addresses())) return parsed;
  return parsed.map((recipient) =>
    "address" in recipient && recipient.needsSmtpUtf8
      ? { destination: recipient.destination, refusal: utf8Refusal(recipient.destination) }
      : recipient,
  );
}

function utf8Refusal(destination: string): string {
  return `"${destination}" has letters beyond ASCII before the @, which this SMTP server does not take (no SMTPUTF8)`;
}

function outcomeFor(recipient: Recipient, outcomes: AddressOutcome[]): RecipientOutcome {
  const { destination } = recipient;
  if ("refusal" in recipient) return { address: destination, reason: "RecipientRejected", message: recipient.refusal };
  const outcome = outcomes.find(({ address }) => address === recipient.address);
  if (outcome === undefined) throw new Error(`Cannot tell what became of "${recipient.address}": no outcome for it`);
  return { ...outcome, address: destination };
}
