import type { KubeObject, ObjectKey } from "../resources/object.ts";
import type { Reason } from "./reasons.ts";

/** What became of one recipient in one attempt. `message` is one line for people, without credentials. */
export interface RecipientOutcome {
  address: string;
  reason: Reason;
  message: string;
  /** The Message-ID header of the mail that the server took. */
  messageId?: string;
  /** Nothing was sent: no connection could be had for it. It does not count as an attempt. */
  untried?: true;
  /** The server asked to be left alone with it for this long at least. */
  retryInMs?: number;
}

/** What every server must take in one transaction (RFC 5321 §4.5.3.1.8); more recipients are sent in several mails. */
export const MAX_RECIPIENTS = 100;

/** A rendered task, ready to be composed: everything of the mail but its MIME form. */
export interface Draft {
  message: { uid: string; namespace: string; name: string };
  /** Stable within the message; with the message's UID and the recipients it makes the Message-ID. */
  taskId: string;
  /** What the message is about, the same for all messages about one thing; the mails of one source thread by it. */
  source?: string;
  /** Bare addresses, at most {@link MAX_RECIPIENTS}. */
  to: string[];
  subject: string;
  body: string;
  bodyType: "Html" | "Text";
  /** The template's language label, such as `EN` or `ZH`. */
  language?: string;
}

/** The configured SMTP server, as much of it as delivery shows in its log. */
export interface MailServer {
  readonly from: { readonly address: string };
  /** Changes whenever the Secret does: a new version closes the circuit of the old one. */
  readonly version: string;
}

/** The mail server's state: usable, or why not and what to do about it. */
export type MailServerState = { server: MailServer } | { problem: string };

export interface Mailer {
  /**
   * One outcome for each address of `draft.to`. Rejects only when `signal` aborts before anything was sent, and with
   * what `permit` throws: it is asked as late as can be, and a mail that it refuses is not completed.
   */
  send(draft: Draft, server: MailServer, permit: () => void, signal: AbortSignal): Promise<RecipientOutcome[]>;
}

/** Which messages are this process' to work on, by the hash of their UID. Both are asked often, and ask nobody. */
export interface Shards {
  /** Whether work is to be begun. */
  takes(hash: number): boolean;
  /**
   * What names the stretch of time for which the messages are this process'; undefined when they are not. Work may have
   * effects as long as it is what it was when the work began: in between, others may have gone on with it.
   */
  tenureOf(hash: number): symbol | undefined;
  /** How much of all work is this process', from 0 to 1. */
  readonly share: number;
}

/** Which of the served NotificationMessage groups a key belongs to comes with the key. */
export interface MessageKey extends ObjectKey {
  group: string;
}

/** `conflict`: the message changed, read it again; `gone`: it was deleted. Else its version from now on. */
export type WriteResult = { resourceVersion: string } | "conflict" | "gone";

export interface Messages {
  /** The message as it is now, or undefined when it is gone. */
  get(key: MessageKey, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** Writes `.status` if the message still has `resourceVersion`. */
  writeStatus(key: MessageKey, resourceVersion: string, status: object, signal: AbortSignal): Promise<WriteResult>;
  /** Deletes the message if it still has `resourceVersion`; `conflict` when it changed, or is another of the same name. */
  remove(key: MessageKey, resourceVersion: string, signal: AbortSignal): Promise<"removed" | "conflict">;
  /** The resourceVersion that the messages have come to. */
  version(signal: AbortSignal): Promise<string>;
}

export interface EventRecorder {
  /** Records one Event about `message`; never rejects: an Event that cannot be written is logged and forgotten. */
  record(
    message: KubeObject,
    event: { type: "Normal" | "Warning"; reason: string; note: string },
    signal: AbortSignal,
  ): Promise<void>;
}
