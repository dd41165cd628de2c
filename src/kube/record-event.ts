import { randomBytes } from "node:crypto";
import { EVENT } from "../resources/kinds.ts";
import type { KubeObject, ObjectKey } from "../resources/object.ts";
import type { KubeClient } from "./client.ts";
import { EventBudget } from "./event-budget.ts";
import { KubeError } from "./kube-error.ts";
import { microTime } from "./micro-time.ts";

export interface EventInput {
  /** What the event is about; it stands in this object's namespace. */
  regarding: KubeObject;
  related?: KubeObject;
  type: "Normal" | "Warning";
  /** One CamelCase word of a closed set. */
  reason: string;
  /** What was done or tried: one CamelCase word. */
  action: string;
  /** For people; cut at the API's 1024 bytes. */
  note: string;
  /** `example.com/courier-api`. */
  reportingController: string;
  /** The pod's name. */
  reportingInstance: string;
}

interface Series {
  key: ObjectKey;
  count: number;
  lastAt: number;
}

type Client = Pick<KubeClient, "create" | "mergePatch">;

const MAX_NOTE_BYTES = 1024;
const MAX_NAME_CHARS = 253;
/** A repeat after a longer pause is a new event, as with client-go's recorder. */
const SERIES_MS = 6 * 60_000;
const MAX_SERIES = 1_000;

interface Memory {
  series: Map<string, Series>;
  budget: EventBudget;
}

/** Per client, as a series lives in one cluster; goes with the client. */
const memoryByClient = new WeakMap<Client, Memory>();

/**
 * Writes one Event (events.k8s.io/v1); the same again within six minutes counts up the first one's `series`. Of too many
 * with one reason some are left out, and the next that is written says how many.
 * @throws KubeError when it cannot be written, or the signal's reason
 */
export async function recordEvent(client: Client, input: EventInput, signal: AbortSignal): Promise<void> {
  const { series: known, budget } = memoryOf(client);
  const leftOut = budget.spend(`${input.reportingController} ${input.type} ${input.reason}`);
  if (leftOut === undefined) return;
  const identity = JSON.stringify({ ...input, regarding: referenceTo(input.regarding, false), related: undefined });
  const series = known.get(identity);
  if (series !== undefined && Date.now() - series.lastAt < SERIES_MS) {
    if (await countUp(client, series, signal)) return;
  }
  const event = buildEvent(leftOut === 0 ? input : { ...input, note: withLeftOut(input, leftOut) });
  await client.create(EVENT, event, signal);
  remember(known, identity, { key: keyOf(event), count: 1, lastAt: Date.now() });
}

function memoryOf(client: Client): Memory {
  const memory = memoryByClient.get(client) ?? { series: new Map(), budget: new EventBudget() };
  memoryByClient.set(client, memory);
  return memory;
}

function withLeftOut({ note, reason }: EventInput, count: number): string {
  return `(${count} more Events with the reason ${reason} were left out) ${note}`;
}

/** The oldest goes first: at worst its repeat is an event of its own. */
function remember(known: Map<string, Series>, identity: string, series: Series): void {
  known.delete(identity);
  known.set(identity, series);
  const [oldest] = known.keys();
  if (known.size > MAX_SERIES && oldest !== undefined) known.delete(oldest);
}

/** False when the event has expired on the server meanwhile. */
async function countUp(client: Client, series: Series, signal: AbortSignal): Promise<boolean> {
  series.count += 1;
  series.lastAt = Date.now();
  const patch = { series: { count: series.count, lastObservedTime: microTime() } };
  try {
    await client.mergePatch(EVENT, series.key, patch, {}, signal);
    return true;
  } catch (error) {
    if (error instanceof KubeError && error.code === 404) return false;
    throw error;
  }
}

/** The event as the API takes it; pure but for its name and time. */
export function buildEvent({ regarding, related, note, ...words }: EventInput): KubeObject {
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { namespace: regarding.metadata.namespace || "default", name: eventName(regarding.metadata.name ?? "") },
    eventTime: microTime(),
    regarding: referenceTo(regarding, true),
    ...(related === undefined ? {} : { related: referenceTo(related, true) }),
    ...words,
    note: cutBytes(note, MAX_NOTE_BYTES),
  };
}

/** `name.suffix`, where names that are no DNS subdomain (`system:node`) are made one. */
function eventName(name: string): string {
  const suffix = `${Date.now().toString(16)}${randomBytes(4).toString("hex")}`;
  const plain = name.toLowerCase().replace(/[^a-z0-9.-]/g, "-");
  const stem = plain.slice(0, MAX_NAME_CHARS - suffix.length - 1).replace(/[^a-z0-9]+$/, "");
  return stem === "" ? suffix : `${stem}.${suffix}`.replace(/^[^a-z0-9]+/, "");
}

/** With its version it is this state of the object; without, the object over time. */
function referenceTo({ apiVersion, kind, metadata }: KubeObject, withVersion: boolean): object {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { apiVersion, kind, namespace, name, uid, ...(withVersion ? { resourceVersion } : {}) };
}

/** At most `maxBytes` of UTF-8, cut between characters, with an ellipsis where something is missing. */
function cutBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  const ellipsis = "…";
  let end = maxBytes - Buffer.byteLength(ellipsis);
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1; // a continuation byte: its character began before
  return bytes.toString("utf8", 0, end) + ellipsis;
}

function keyOf({ metadata }: KubeObject): ObjectKey {
  return { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}
