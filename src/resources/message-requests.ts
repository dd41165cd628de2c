import { createHash } from "node:crypto";
import type { ObjectMeta } from "./object.ts";

/** A new value of it asks to send a message again to those who did not get it. */
export const RETRY_ANNOTATION = "courier.io/retry";
/** `Immediately`: a template that cannot be used is answered with a plain fallback mail at once. */
export const FALLBACK_ANNOTATION = "courier.io/fallback";

/** What people ask of courier by annotations of a message. */
export interface MessageRequests {
  /** The value of the retry annotation, short enough for a status. */
  retry?: string;
  /** The value of the fallback annotation as it was written. */
  fallback?: string;
}

/** A status remembers the value; an annotation may be 256 KiB. */
const MAX_RETRY_CHARS = 128;

/** The requests in a message's annotations; what is no text is as if absent. */
export function requestsOf(metadata: ObjectMeta): MessageRequests {
  const annotations: Record<string, unknown> = metadata.annotations ?? {};
  const text = (name: string) => {
    const value = Object.hasOwn(annotations, name) ? annotations[name] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const [retry, fallback] = [text(RETRY_ANNOTATION), text(FALLBACK_ANNOTATION)];
  return {
    ...(retry !== undefined && { retry: retry.length > MAX_RETRY_CHARS ? digest(retry) : retry }),
    ...(fallback !== undefined && { fallback }),
  };
}

/** Differs where the requests of two versions of a message do; a change of it does not raise `metadata.generation`. */
export function requestKey(metadata: ObjectMeta): string {
  const { retry = "", fallback = "" } = requestsOf(metadata);
  return retry === "" && fallback === "" ? "" : digest(JSON.stringify([retry, fallback]));
}

function digest(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
