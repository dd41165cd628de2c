import { EventEmitter, once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import type { SecureVersion } from "node:tls";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";
import type { Certificate } from "./certificates.ts";

/**
 * A moment in an SMTP session at which the server can go wrong. `data`: before its 354; `mid-data`: after the first
 * bytes (to drop only); `final-dot`: before its 250.
 */
export type Moment = "greeting" | "mail" | "recipient" | "data" | "mid-data" | "final-dot";

/** How the server behaves; what is not given goes well. A reply is a code and a text, such as `550 No such user`. */
export interface SmtpScript {
  /** Refuses the session, or the login, the sender, a recipient, the mail after its final dot. */
  greeting?: () => string | undefined;
  login?: (username: string, password: string) => string | undefined;
  /** Offers XOAUTH2 too, and refuses a token: with a reply, or (where it is an object) as RFC 7628 does, after a 334. */
  token?: (username: string, accessToken: string) => string | object | undefined;
  sender?: (address: string) => string | undefined;
  recipient?: (address: string) => string | undefined;
  mail?: (mail: AcceptedMail) => string | undefined;
  /** Waited for between the final dot and the reply to it. */
  hold?: () => Promise<void>;
  /** Closes the connection without a word at this moment, or never answers. */
  drop?: Moment;
  stall?: Moment;
  /** Answers at this moment only after that promise. */
  pause?: { at: Moment; until: Promise<unknown> };
  /** TLS from the first byte, or STARTTLS offered; without a certificate neither. */
  tls?: { mode: "implicit" | "starttls"; certificate: Certificate; maxVersion?: SecureVersion };
  /** Offers AUTH; without TLS too when `clear`. */
  auth?: "tls" | "clear";
  /** EHLO keywords that the server does not announce. */
  hidden?: ("PIPELINING" | "8BITMIME" | "SMTPUTF8" | "SIZE")[];
  /** Announced in EHLO, and refused above. */
  maxBytes?: number;
}

/** One mail that the server was given to the final dot, with its envelope. */
export interface AcceptedMail {
  from: string;
  to: string[];
  raw: string;
  parsed: ParsedMail;
  /** Whether it came over TLS, who logged in, and the name the client greeted with. */
  secure: boolean;
  username: string | undefined;
  heloName: string;
  connectionId: string;
}

/** A scripted SMTP server on a loopback port of its own. */
export interface TestSmtpServer {
  readonly host: string;
  readonly port: number;
  /** Mails that the server answered with 250, in order. */
  readonly mails: AcceptedMail[];
  /** Connections made so far, and those of them that were greeted and are still open. */
  readonly connections: number;
  readonly open: number;
  /** The behaviour of sessions and commands from now on. */
  script: SmtpScript;
  /** Resolves when the server has accepted `count` mails in all. */
  received(count: number): Promise<AcceptedMail[]>;
  /** Resolves when some session has come to `moment`, now or before. */
  reached(moment: Moment): Promise<void>;
  /** Resolves when no connection is open. */
  disconnected(): Promise<void>;
  /** Closes all connections at once, without a word. */
  dropAll(): void;
  close(): Promise<void>;
}

/** Starts a server that behaves as `script` says; TLS and EHLO keywords are fixed from then on. */
export async function startSmtpServer(script: SmtpScript = {}): Promise<TestSmtpServer> {
  const mails: AcceptedMail[] = [];
  const moments = new Set<Moment>();
  const greeted = new Set<string>();
  const changed = new EventEmitter().setMaxListeners(0);
  let connections = 0;

  /** Calls `proceed` with the script's refusal, unless the script drops or stalls the session here. */
  function at(moment: Moment, session: SMTPServerSession, proceed: () => unknown): void {
    moments.add(moment);
    changed.emit("change");
    const socket = socketOf(server, session);
    const { drop, pause, stall } = self.script;
    if (drop === moment) return void socket?.destroy();
    const isHeld = pause?.at === moment || stall === moment;
    if (!isHeld) return void proceed();
    if (moment === "data") socket?.cork(); // smtp-server has its 354 follow without asking
    void pause?.until.then(() => {
      socket?.uncork();
      proceed();
    });
  }

  const server = new SMTPServer({
    ...listenerOptions(script),
    onConnect(session, done) {
      connections++;
      at("greeting", session, () => {
        const reply = self.script.greeting?.();
        if (reply === undefined) greeted.add(session.id);
        done(refusal(reply));
      });
    },
    onClose({ id }) {
      greeted.delete(id);
      setImmediate(() => changed.emit("change"));
    },
    onAuth({ method, username = "", password, accessToken = "" }, _session, done) {
      if (method === "XOAUTH2") {
        const refused = self.script.token?.(username, accessToken);
        if (typeof refused === "string") return done(refusal(refused));
        return done(null, refused === undefined ? { user: username } : { data: refused });
      }
      const reply = self.script.login?.(username, password ?? "");
      return reply === undefined ? done(null, { user: username }) : done(refusal(reply));
    },
    onMailFrom({ address }, session, done) {
      at("mail", session, () => done(refusal(self.script.sender?.(address))));
    },
    onRcptTo({ address }, session, done) {
      at("recipient", session, () => done(refusal(self.script.recipient?.(address))));
    },
    onData(stream, session, done) {
      at("data", session, async () => {
        if (self.script.drop === "mid-data") stream.once("readable", () => socketOf(server, session)?.destroy());
        const mail = await readMail(stream, session).catch(() => undefined);
        if (mail === undefined) return; // the client, or the script, hung up
        at("final-dot", session, async () => {
          await self.script.hold?.();
          const reply = stream.sizeExceeded ? "552 Too big" : self.script.mail?.(mail);
          if (reply === undefined) accept(mail);
          return reply === undefined ? done(null, "Ok: queued as TEST") : done(refusal(reply));
        });
      });
    },
  });

  function accept(mail: AcceptedMail): void {
    mails.push(mail);
    changed.emit("change");
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(changed, "change");
  }

  function dropAll(): void {
    for (const connection of server.connections) (connection as unknown as { _socket: Socket })._socket.destroy();
  }

  server.on("error", () => {}); // a client that hangs up is part of the script
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  const self: TestSmtpServer = {
    host: "127.0.0.1",
    port,
    mails,
    script,
    get connections() {
      return connections;
    },
    get open() {
      return greeted.size;
    },
    async received(count) {
      await until(() => mails.length >= count);
      return [...mails];
    },
    reached: (moment) => until(() => moments.has(moment)),
    disconnected: () => until(() => server.connections.size === 0),
    dropAll,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      dropAll();
      await closed;
    },
  };
  return self;
}

/** OpenSSL speaks TLS 1.1 and older at security level 0 only. */
function oldTls(maxVersion: SecureVersion) {
  return { minVersion: "TLSv1" as const, maxVersion, ciphers: "DEFAULT@SECLEVEL=0" };
}

function listenerOptions({ tls, auth, token, hidden = [], maxBytes }: SmtpScript): SMTPServerOptions {
  return {
    logger: false,
    disableReverseLookup: true,
    closeTimeout: 1,
    secure: tls?.mode === "implicit",
    ...(tls === undefined ? {} : { ...tls.certificate, ...(tls.maxVersion && oldTls(tls.maxVersion)) }),
    authOptional: true,
    ...(token === undefined ? {} : { authMethods: ["PLAIN", "LOGIN", "XOAUTH2"] }),
    allowInsecureAuth: auth === "clear",
    disabledCommands: [...(tls?.mode === "starttls" ? [] : ["STARTTLS"]), ...(auth === undefined ? ["AUTH"] : [])],
    hidePIPELINING: hidden.includes("PIPELINING"),
    hide8BITMIME: hidden.includes("8BITMIME"),
    hideSMTPUTF8: hidden.includes("SMTPUTF8"),
    hideSize: hidden.includes("SIZE"),
    ...(maxBytes === undefined ? {} : { size: maxBytes }),
  };
}

function refusal(reply: string | undefined): Error | null {
  if (reply === undefined) return null;
  return Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });
}

/** The session's TCP connection: smtp-server has no public way to end one rudely. */
function socketOf(server: SMTPServer, session: SMTPServerSession): Socket | undefined {
  const connections = [...server.connections] as unknown as { id: string; _socket: Socket }[];
  return connections.find(({ id }) => id === session.id)?._socket;
}

async function readMail(stream: AsyncIterable<Buffer>, session: SMTPServerSession): Promise<AcceptedMail> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  return {
    from: session.envelope.mailFrom === false ? "" : session.envelope.mailFrom.address,
    to: session.envelope.rcptTo.map(({ address }) => address),
    raw: raw.toString(),
    parsed: await simpleParser(raw),
    secure: session.secure,
    username: session.user as string | undefined,
    heloName: session.hostNameAppearsAs,
    connectionId: session.id,
  };
}
