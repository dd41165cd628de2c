import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MailDev } from "maildev";

/** Where the inbox listens; port 0 takes a free one. */
export interface InboxOptions {
  smtpPort?: number;
  webPort?: number;
  host?: string;
}

/** A mail as the inbox keeps it. */
export interface InboxMail {
  id: string;
  from: InboxAddress[];
  /** As the To header says; whom it was delivered to is in `recipients`. */
  to: InboxAddress[];
  recipients: string[];
  subject: string;
  /** The Date header, or when the mail came in. */
  date: Date;
  text: string;
  html: string;
  headers: Record<string, string | string[]>;
}

export interface InboxAddress {
  address: string;
  name?: string;
}

/** An SMTP server that takes every mail and shows it on a page. */
export interface Inbox {
  readonly smtpHost: string;
  readonly smtpPort: number;
  /** The page, and maildev's REST API under `api/`. */
  readonly url: string;
  /** All mails so far, oldest first. */
  messages(): Promise<InboxMail[]>;
  /** The first mail, already there or still to come, for which `predicate` holds. Rejects when `signal` aborts. */
  waitForMail(predicate: (mail: InboxMail) => boolean, signal: AbortSignal): Promise<InboxMail>;
  /** Ends the servers, their connections, and removes their files. */
  close(): Promise<void>;
}

/** Mails kept; the oldest go first. A sandbox that runs for days must not grow for ever. */
const MAX_MAILS = 1000;

/**
 * Starts maildev on loopback.
 * @throws Error when maildev is not installed (it is a development dependency) or a port is taken
 */
export async function startInbox({ smtpPort = 0, webPort = 0, host = "127.0.0.1" }: InboxOptions = {}): Promise<Inbox> {
  const { MailDev: Maildev } = await loadMaildev();
  const mailDirectory = await mkdtemp(join(tmpdir(), "courier-inbox-")); // maildev's own default is shared by all users
  const maildev = new Maildev({
    ...{ smtp: smtpPort, ip: host, web: webPort, webIp: host },
    ...{ mailDirectory, maxEmails: MAX_MAILS, silent: true },
  });
  const servers = await startOrExplain(maildev, mailDirectory);
  const { smtp, api } = servers;
  const port = api?.getAddress()?.port ?? webPort;
  const messages = async () => (await smtp.getAllEmails()).map(toInboxMail).sort((a, b) => a.order - b.order);
  return {
    smtpHost: host,
    smtpPort: smtp.getPort(),
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}/`,
    messages,
    waitForMail: (predicate, signal) => waitForMail(smtp, messages, predicate, signal),
    async close() {
      hangUp(servers);
      await maildev.stop();
      await rm(mailDirectory, { recursive: true, force: true });
    },
  };
}

type Servers = Awaited<ReturnType<MailDev["start"]>>;
type Email = Awaited<ReturnType<Servers["smtp"]["getAllEmails"]>>[number];

async function loadMaildev(): Promise<typeof import("maildev")> {
  try {
    return await import("maildev");
  } catch (cause) {
    throw new Error(
      "Cannot start the inbox: maildev is not installed. Run npm ci without --omit=dev, or give another SMTP server",
      { cause },
    );
  }
}

async function startOrExplain(maildev: MailDev, mailDirectory: string): Promise<Servers> {
  try {
    return await withoutAnnouncement(() => maildev.start());
  } catch (cause) {
    await rm(mailDirectory, { recursive: true, force: true });
    throw new Error(`Cannot start the inbox: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** maildev prints its address even when it is told to be silent; the sandbox prints it where it belongs. */
async function withoutAnnouncement<T>(start: () => Promise<T>): Promise<T> {
  const print = console.info;
  console.info = (...args: unknown[]) => {
    if (!String(args[0]).startsWith("MailDev API running")) print(...args);
  };
  try {
    return await start();
  } finally {
    console.info = print;
  }
}

function toInboxMail(email: Email): InboxMail & { order: number } {
  return {
    order: new Date(email.time).getTime(),
    id: email.id,
    from: email.from,
    to: email.to,
    recipients: email.envelope.to.map(({ address }) => address),
    subject: email.subject,
    date: new Date(email.date ?? email.time),
    text: email.text ?? "",
    html: email.html ?? "",
    headers: email.headers,
  };
}

async function waitForMail(
  smtp: Servers["smtp"],
  messages: () => Promise<InboxMail[]>,
  predicate: (mail: InboxMail) => boolean,
  signal: AbortSignal,
): Promise<InboxMail> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<InboxMail>();
  const onMail = (email: Email) => {
    const mail = toInboxMail(email);
    if (predicate(mail)) resolve(mail);
  };
  const onAbort = () => reject(signal.reason);
  smtp.on("new", onMail); // first, so that no mail falls between looking and listening
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const present = (await messages()).find(predicate);
    return present ?? (await promise);
  } finally {
    smtp.off("new", onMail);
    signal.removeEventListener("abort", onAbort);
  }
}

/** maildev waits half a minute for clients to leave: pooled SMTP connections and open pages are cut instead. */
function hangUp({ smtp, api }: Servers): void {
  const listener = Reflect.get(smtp, "smtp") as { connections?: Iterable<{ _socket?: Socket }> } | null;
  for (const { _socket } of listener?.connections ?? []) _socket?.destroy();
  (api?.server.server as Server | undefined)?.closeAllConnections();
}
