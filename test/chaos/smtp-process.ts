/** The SMTP server, a process of its own: started by smtp.ts, told by commands, tells every step as an event. */
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { SMTPServer, type SMTPServerSession } from "smtp-server";
import { draw } from "./random.ts";
import {
  befalls,
  CALM,
  type DotAnswer,
  isSilenced,
  type SmtpCommand,
  type SmtpEvent,
  type SmtpFault,
  type SmtpReport,
  standingRefusal,
  standingReply,
} from "./smtp-script.ts";

let mode = CALM;
let seed = "";
let address: { host: string; port: number } = { host: "127.0.0.1", port: 0 };
let server: SMTPServer | undefined;
let steps = 0;
/** Transaction now open in a session, by the session's id. */
const transactions = new Map<string, number>();
/** Transactions whose mail has begun to come. */
const coming = new Set<number>();
/** How often something was asked about a subject. */
const counts = new Map<string, number>();

process.on("message", async ({ number, command }: { number: number; command: SmtpCommand }) => {
  report({ done: number, ...(await obey(command)) });
});
process.on("disconnect", () => process.exit());

async function obey(command: SmtpCommand): Promise<{ port?: number }> {
  switch (command.type) {
    case "start":
      ({ seed } = command);
      address = command;
      return listen();
    case "mode":
      mode = command.mode;
      return {};
    case "suspend":
      await suspend();
      return {};
    case "resume":
      return listen();
    case "flush":
      return {}; // the events before it have been sent
    default:
      return command satisfies never;
  }
}

function report(report: SmtpReport): void {
  process.send?.(report);
}

function tell(event: SmtpEvent): void {
  report({ event });
}

async function listen(): Promise<{ port: number }> {
  server = createServer();
  server.listen(address.port, address.host);
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  address = { ...address, port };
  return { port };
}

async function suspend(): Promise<void> {
  const closing = server;
  server = undefined;
  if (closing === undefined) return;
  const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
  for (const socket of socketsOf(closing).values()) socket.destroy();
  await closed;
}

function createServer(): SMTPServer {
  const created = new SMTPServer({
    logger: false,
    disableReverseLookup: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    authOptional: true,
    closeTimeout: 1,
    onConnect(_session, done) {
      steps += 1;
      const refused = fails("greeting-421", `connection ${steps}`) ? "421 4.3.2 Come back later" : undefined;
      reply(done, refused);
    },
    onClose: ({ id }) => endTransaction(id),
    onMailFrom(_address, session, done) {
      const id = ++steps;
      endTransaction(session.id);
      transactions.set(session.id, id);
      tell({ type: "begin", id, client: session.hostNameAppearsAs, at: Date.now() });
      if (fails("sender-421", `transaction ${id}`)) reply(done, "421 4.3.2 Closing for a moment");
      else reply(done, fails("sender-451", `transaction ${id}`) ? "451 4.3.0 Try again later" : undefined);
    },
    onRcptTo({ address }, session, done) {
      const refused = replyTo(address);
      const code = refused === undefined ? {} : { code: Number(refused.slice(0, 3)) };
      tell({ type: "recipient", id: transactions.get(session.id) ?? 0, address, ...code, at: Date.now() });
      reply(done, refused);
    },
    async onData(stream, session, done) {
      const subject = session.envelope.rcptTo[0]?.address ?? "";
      const socket = socketsOf(created).get(session.id);
      coming.add(transactions.get(session.id) ?? 0);
      if (fails("drop-before-dot", subject)) return void socket?.destroy();
      const text = await readAll(stream).catch(() => undefined);
      if (text !== undefined) await answerDot(text, session, socket, done);
    },
  });
  created.on("error", () => {}); // clients that are killed in mid-session are what this is for
  return created;
}

/** One that came to its final dot has left the map by then. */
function endTransaction(sessionId: string): void {
  const id = transactions.get(sessionId);
  transactions.delete(sessionId);
  if (id === undefined) return;
  if (coming.delete(id)) tell({ type: "dot", id, messageId: "", answer: "torn", at: Date.now() });
  else tell({ type: "over", id, at: Date.now() });
}

function replyTo(address: string): string | undefined {
  const standing = standingReply(address, count(`recipient ${address}`));
  if (standing !== undefined) return standing;
  if (fails("recipient-550", address)) return "550 5.1.1 No such user at the moment";
  return fails("recipient-451", address) ? "451 4.2.1 Mailbox busy" : undefined;
}

async function answerDot(
  text: string,
  session: SMTPServerSession,
  socket: Socket | undefined,
  done: (error: Error | null) => void,
): Promise<void> {
  const id = transactions.get(session.id) ?? 0;
  transactions.delete(session.id);
  coming.delete(id);
  const to = session.envelope.rcptTo.map(({ address }) => address);
  const messageId = /^Message-ID:\s*<([^>]+)>/im.exec(text)?.[1] ?? "";
  const subject = to[0] ?? "";
  const end = (answer: DotAnswer, code?: number) =>
    tell({ type: "dot", id, messageId, answer, ...(code !== undefined && { code }), at: Date.now() });
  await pause(fails("too-slow", subject) ? mode.tooSlowMs : delayMs());
  const refused = standingRefusal(to) ?? dotRefusal(subject);
  if (refused !== undefined) {
    end("refused", Number(refused.slice(0, 3)));
    return done(asError(refused));
  }
  if (server === undefined || isSilenced(to) || fails("drop-after-dot", subject)) {
    end("vanished");
    return void socket?.destroy();
  }
  if (socket?.destroyed !== false || fails("lose-answer", subject)) {
    end("lost"); // it was handed over to the last dot, and a mail server keeps what it was given
    return void socket?.destroy();
  }
  end("accepted");
  done(null);
}

function dotRefusal(subject: string): string | undefined {
  if (fails("mail-554", subject)) return "554 5.6.0 Refused for its content";
  return fails("mail-451", subject) ? "451 4.3.1 Out of space" : undefined;
}

function fails(fault: SmtpFault, subject: string): boolean {
  return befalls(seed, mode, fault, subject, count(`${fault} ${subject}`));
}

function count(name: string): number {
  const nth = (counts.get(name) ?? 0) + 1;
  counts.set(name, nth);
  return nth;
}

function delayMs(): number {
  const [least, most] = mode.delayMs;
  steps += 1;
  return least + draw(seed, "delay", steps) * (most - least);
}

async function reply(done: (error?: Error | null) => void, refused: string | undefined): Promise<void> {
  await pause(delayMs());
  done(refused === undefined ? null : asError(refused));
}

function asError(reply: string): Error {
  return Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });
}

/** By session id: smtp-server has no public way to close a connection rudely. */
function socketsOf({ connections }: SMTPServer): Map<string, Socket> {
  const sessions = [...connections] as unknown as { id: string; _socket: Socket }[];
  return new Map(sessions.map(({ id, _socket }) => [id, _socket]));
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("latin1");
}
