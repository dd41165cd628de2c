import { createRequire } from "node:module";
import { Readable } from "node:stream";
import { createSecureContext } from "node:tls";
import type { SMTPConnectionOptions } from "nodemailer/lib/smtp-connection";
import type { SMTPPoolOptions, SMTPPoolSentMessageInfo } from "nodemailer/lib/smtp-pool";
import { trusting } from "./ca-bundle.ts";
import type { SendStage } from "./classify.ts";
import { secretsOf } from "./clean-reply.ts";
import type { Mail } from "./compose.ts";
import type { EmailServer } from "./email-server.ts";
import type { SmtpError } from "./failure-report.ts";
import { guardAgainstFloods } from "./flood-guard.ts";
import { isLoopback } from "./loopback.ts";
import { requestToken } from "./token-request.ts";
import { createTokenSource, type TokenSource } from "./token-source.ts";
import { xoauth2Options } from "./xoauth2-login.ts";

/** Required, since nodemailer's modules import node:http, and that brings Node's fetch and WebSocket: 14 MiB (docs/decisions/036). */
const require = createRequire(import.meta.url);
const SMTPConnection =
  require("nodemailer/lib/smtp-connection") as typeof import("nodemailer/lib/smtp-connection").default;
const SMTPPool = require("nodemailer/lib/smtp-pool") as typeof import("nodemailer/lib/smtp-pool").default;

export interface SmtpPoolOptions {
  /** Connections to one server at a time. */
  maxConnections: number;
  /** The FQDN courier greets with; this machine's name, where it is one, when absent. */
  heloName?: string;
  /** Whether credentials may go over a connection without TLS; over loopback they always may. */
  allowPlainAuth: boolean;
  connectTimeoutMs: number;
  /** Silence in mid-session after which a connection is given up. */
  socketTimeoutMs: number;
}

/** What became of one attempt: the server's answer, or an error and how far the mail had come. */
export type Attempt =
  | { info: SMTPPoolSentMessageInfo }
  | {
      error: unknown;
      stage: SendStage;
      /** nodemailer's errors of the recipients whom the server refused before the mail failed. */
      rejectedErrors?: unknown;
      /** Other mails go through the server. */
      serverWorks?: boolean;
      /** It never had a connection of its own to try. */
      untried?: true;
    };

/** Kept-alive connections to one SMTP server. */
export interface SmtpPool {
  /**
   * Never rejects. When `signal` aborts, the attempt ends at once with an error; so does it when `permit` throws, which
   * is asked before each slice of the mail and before its final dot: the server discards what has none. Each new stage is
   * told to `onStage`.
   */
  send(mail: Mail, permit: () => void, signal: AbortSignal, onStage?: (stage: SendStage) => void): Promise<Attempt>;
  /** Whether the server takes addresses that are not ASCII (RFC 6531): asked once, and `true` when nobody answers. */
  takesUtf8Addresses(): Promise<boolean>;
  /** What the server is shown at the login, in each form it could repeat it in: no message may hold it. */
  readonly secrets: readonly string[];
  /** Ends the connections; what is under way fails. */
  close(): void;
}

/** A connection is replaced after this many mails, so that load balancers see a new one now and then. */
const MAILS_PER_CONNECTION = 1000;
/** 512 octets are a line of a reply (RFC 5321 §4.5.3.1.5); EHLO has the most lines. */
const MAX_REPLY_BYTES = 64 * 1024;
const SLICE_BYTES = 16_384;
const IDLE_MS = 60_000;
/** nodemailer's own retries of a connection that closed in silence, before any byte of a mail was sent. */
const MAX_REQUEUES = 2;

/** A pool of nodemailer's connections; none is opened before the first mail. */
export function openSmtpPool(server: EmailServer, options: SmtpPoolOptions): SmtpPool {
  const tokens = tokensFor(server);
  const connection = connectionOptions(server, options, tokens);
  const pool = new SMTPPool({ ...connection, maxConnections: options.maxConnections });
  const guard = guardAgainstFloods(pool);
  let utf8: boolean | undefined;
  return {
    send: (mail, permit, signal, onStage) => sendThrough(pool, mail, permit, signal, onStage),
    async takesUtf8Addresses() {
      utf8 ??= await offersSmtpUtf8(connection);
      return utf8 ?? true;
    },
    get secrets() {
      return secretsOf(server.auth, tokens?.recent ?? []);
    },
    close() {
      guard.stop();
      tokens?.close();
      pool.close({ force: true });
    },
  };
}

function tokensFor({ auth, ca }: EmailServer): TokenSource | undefined {
  if (auth?.type !== "xoauth2") return undefined;
  return createTokenSource((signal) => requestToken(auth, ca, signal), Date.now);
}

function connectionOptions(server: EmailServer, options: SmtpPoolOptions, tokens: TokenSource | undefined) {
  const mustEncrypt = server.auth !== undefined && !options.allowPlainAuth && !isLoopback(server.host);
  const secureContext = createSecureContext({ minVersion: "TLSv1.2", ...trusting(server.ca) });
  return {
    host: server.host,
    port: server.port,
    secure: server.tls === "implicit",
    requireTLS: mustEncrypt && server.tls === "starttls",
    tls: { secureContext, rejectUnauthorized: !server.insecureSkipVerify },
    ...loginOptions(server.auth, tokens),
    ...(options.heloName === undefined ? {} : { name: options.heloName }),
    connectionTimeout: options.connectTimeoutMs,
    greetingTimeout: options.connectTimeoutMs,
    dnsTimeout: options.connectTimeoutMs,
    socketTimeout: options.socketTimeoutMs,
    maxResponseSize: MAX_REPLY_BYTES,
    maxMessages: MAILS_PER_CONNECTION,
    maxRequeues: MAX_REQUEUES,
    idleTimeout: IDLE_MS,
    allowInternalNetworkInterfaces: true,
  };
}

function loginOptions(auth: EmailServer["auth"], tokens: TokenSource | undefined): Partial<SMTPPoolOptions> {
  if (auth === undefined) return {};
  if (auth.type === "password") return { auth: { user: auth.username, pass: auth.password } };
  return tokens === undefined ? {} : xoauth2Options(auth, tokens);
}

/**
 * nodemailer asks a mail for these four things, in this order; the questions tell how far it is. Handing it a ready
 * mail instead of having it build one saves half of the sending's CPU time (docs/decisions/042).
 */
function sendThrough(
  pool: InstanceType<typeof SMTPPool>,
  mail: Mail,
  permit: () => void,
  signal: AbortSignal,
  onStage: (stage: SendStage) => void = () => {},
): Promise<Attempt> {
  let stage: SendStage = "queued";
  const enter = (next: SendStage) => {
    stage = next;
    onStage(next);
  };
  let envelope: Mail["envelope"] & { rejectedErrors?: unknown } = mail.envelope;
  const message = {
    getHeader: () => {
      enter("connecting"); // asked when a connection takes the mail, again when nodemailer requeues it
      return mail.messageId;
    },
    getEnvelope: () => {
      envelope = { ...mail.envelope, to: [...mail.envelope.to] };
      return envelope;
    },
    messageId: () => mail.messageId,
    createReadStream: () => {
      enter("transaction"); // asked when the session is up
      return contentStream(mail.content, permit).once("end", () => {
        enter("handed-over"); // what follows the last byte is the final dot
      });
    },
  };
  const request = { data: { signal }, message } as unknown as Parameters<typeof pool.send>[0];
  return new Promise((resolve) => {
    pool.send(request, (error, info) => {
      if (!error) return resolve({ info: info as SMTPPoolSentMessageInfo });
      // An error from a lost connection is silent on the recipients; nodemailer has noted them in the envelope. Before the
      // mail is handed over, the notes may also be of those who are asked for in vain since the sender was refused.
      const { rejectedErrors } = stage === "handed-over" ? envelope : (error as SmtpError);
      resolve({ error, stage, rejectedErrors });
    });
  });
}

/** A large mail is read as fast as the connection takes it, so that its end is not seen long before it is sent. */
function contentStream(content: Buffer, permit: () => void): Readable {
  let start = 0;
  return new Readable({
    highWaterMark: 1,
    read() {
      try {
        permit();
      } catch (error) {
        this.destroy(error as Error);
        return;
      }
      this.push(start < content.length ? content.subarray(start, start + SLICE_BYTES) : null);
      start += SLICE_BYTES;
    },
  });
}

/** Reads the server's EHLO reply over a connection of its own; undefined when there is none to read in time. */
function offersSmtpUtf8(options: SMTPConnectionOptions): Promise<boolean | undefined> {
  const connection = new SMTPConnection(options);
  const guard = guardAgainstFloods({ _connections: [{ connection }] });
  return new Promise((resolve) => {
    const timer = setTimeout(() => answer(undefined), options.connectionTimeout);
    const answer = (offered: boolean | undefined) => {
      clearTimeout(timer);
      guard.stop();
      resolve(offered);
      connection.close();
    };
    connection.on("error", () => answer(undefined));
    connection.connect((error) =>
      answer(error ? undefined : /^250[ -]SMTPUTF8\s*$/im.test(String(connection.lastServerResponse))),
    );
  });
}
