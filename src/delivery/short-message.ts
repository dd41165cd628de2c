import { visibleLine } from "../resources/visible.ts";

/** A status is read by people, and etcd takes 1.5 MiB of an object. */
const MAX_MESSAGE_CHARS = 500;

/** `text` as one line for the message of a condition, cut where it is longer than people read. */
export function shortMessage(text: string): string {
  const cut = text.length > MAX_MESSAGE_CHARS ? `${text.slice(0, MAX_MESSAGE_CHARS - 1)}…`.toWellFormed() : text;
  return visibleLine(cut);
}
