/** The plain mail that goes out where a template cannot be used, called by prepare.ts. Pure. */

import { field, isObject } from "../resources/fields.ts";
import { FALLBACK_ANNOTATION, type MessageRequests } from "../resources/message-requests.ts";
import { formatKey, type ObjectKey } from "../resources/object.ts";
import type { Task } from "./plan.ts";
import type { Rendered } from "./render.ts";

/** Why a template cannot be used. */
export interface TemplateTrouble {
  reason: "TemplateNotFound" | "TemplateInvalid" | "RenderFailed";
  message: string;
  /** Templates cannot be read at the moment: the trouble is courier's rather than the author's. */
  isUnread?: true;
}

const IMMEDIATELY = "Immediately";
/** The last part of a message's time is for the fallback mail, which may be greylisted like any other: an hour of 24. */
const FALLBACK_SHARE = 1 / 24;

const MAX_LABELS = 50;
const MAX_KEY_CHARS = 100;
const MAX_VALUE_CHARS = 300;
/** Whatever could forge a line of this mail, or show it in another order than it has. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** How long before the deadline the wait for a template ends, in milliseconds. */
export function fallbackTimeMs(deadlineMs: number): number {
  return deadlineMs * FALLBACK_SHARE;
}

/** Whether the wait for the template is over: at its end (`isLate`), or at once where the message says so. */
export function isFallbackDue({ fallback }: MessageRequests, { isUnread }: TemplateTrouble, isLate: boolean): boolean {
  return isLate || (fallback === IMMEDIATELY && !isUnread);
}

/** The trouble's message, with a word on an annotation that asks for nothing known. */
export function explainTrouble({ message }: TemplateTrouble, { fallback = IMMEDIATELY }: MessageRequests): string {
  if (fallback === IMMEDIATELY) return message;
  return `${message}; the annotation ${FALLBACK_ANNOTATION} is ${quote(fallback)}, and only ${IMMEDIATELY} is known`;
}

/** A text that names the message, says why it has no better form, and lists `body.labels`. */
export function renderFallback(
  key: ObjectKey,
  task: Task,
  { reason, message }: TemplateTrouble,
  body: unknown,
): Rendered {
  const template = formatKey({ namespace: key.namespace, name: task.template });
  const lines = [
    "This notification comes as plain text, because its template cannot be used.",
    "",
    `Message:      ${formatKey(key)}`,
    `Subscription: ${clean(task.notification, MAX_VALUE_CHARS)}`,
    `Template:     ${clean(template, MAX_VALUE_CHARS)}`,
    `Why:          ${reason}: ${clean(message, 2 * MAX_VALUE_CHARS)}`,
    "",
    ...labelLines(body),
    "",
    "Once the template is mended, notifications come in their own form again.",
    "",
  ];
  return { subject: `Without its template: notification ${formatKey(key)}`, body: lines.join("\n"), bodyType: "Text" };
}

function labelLines(body: unknown): string[] {
  const labels = isObject(body) ? field(body, "labels") : undefined;
  const entries = isObject(labels) ? Object.entries(labels) : [];
  if (entries.length === 0) return ["It has no labels."];
  const shown = entries.slice(0, MAX_LABELS).map(([key, value]) => {
    return `  ${clean(key, MAX_KEY_CHARS)}: ${clean(formatValue(value), MAX_VALUE_CHARS)}`;
  });
  const more = entries.length - shown.length;
  return ["Labels:", ...shown, ...(more > 0 ? [`  … and ${more} more`] : [])];
}

/** A number that JavaScript has no type for is an object with a text of its own. */
function formatValue(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === "bigint") return String(inner);
    const isOwnKind = isObject(inner) && Object.getPrototypeOf(inner) !== Object.prototype;
    return isOwnKind ? Number(String(inner)) : inner;
  });
}

function clean(text: string, maxChars: number): string {
  const line = text
    .slice(0, 4 * maxChars)
    .replace(INVISIBLE, " ")
    .trim();
  return line.length > maxChars ? `${line.slice(0, maxChars - 1)}…`.toWellFormed() : line.toWellFormed();
}

function quote(text: string): string {
  return `"${clean(text, 40)}"`;
}
