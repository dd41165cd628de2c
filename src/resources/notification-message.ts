import { describeType, FieldReader, type Fields, field, isObject, type Problem } from "./fields.ts";
import { type MessageRequests, requestsOf } from "./message-requests.ts";
import type { KubeObject } from "./object.ts";

/** One entry of `spec.notifications`, as it was written; nothing in it is checked beyond its types. */
export interface Subscription {
  /** `spec.notifications[2]` */
  path: string;
  name: string;
  /** Absent where the entry names a `Notification` whose default subscription applies. */
  ephemeral?: { methods: string[]; template: string; users: string[]; groups: string[] };
  /** With the index each has in `receivers`. */
  destinations: { path: string; destination: string }[];
  /** Fields of this entry whose type is wrong. */
  problems: Problem[];
}

export type Phase = "Pending" | "Processing" | "Failed" | "Done";

/** One row of `status.conditions`, the guide's fields first and in the guide's order. */
export interface Condition {
  method: string;
  addresses: string[];
  type: "Ready";
  status: "True" | "False" | "Unknown";
  notification?: string;
  /** The task the row is about. */
  uid?: string;
  reason?: string;
  message?: string;
  retryTimes?: number;
  lastTransitionTime?: string;
  /** Of what the mail says: a task whose content changed is another task. */
  contentHash?: string;
  /** The mail was a plain one: the reason why the template could not be used. */
  fallback?: string;
  /** An attempt ended without an answer after the mail was handed over: it may have arrived. */
  uncertain?: boolean;
}

/** What of a message's spec and annotations its status is about. */
export interface Observed {
  /** The `metadata.generation` that the conditions are about (Kubernetes API conventions). */
  observedGeneration?: number;
  /** The last value of the retry annotation that was followed. */
  observedRetry?: string;
  /** When a message was begun anew, by a retry or by an edit after it failed: its deadline counts from then. */
  restartedAt?: string;
}

export interface MessageStatus extends Observed {
  conditions: Condition[];
  phase: Phase;
  summary: StatusSummary;
}

/** The conditions in one row: what `kubectl get nfm` shows. */
export interface StatusSummary {
  /** `True` when every recipient has the mail, `False` when one never will, `Unknown` until then. */
  ready: Condition["status"];
  /** Recipients that have the mail, of all recipients: `2/3`. */
  recipients: string;
  /** Why the message is in its phase: the first reason that keeps it from being Done. */
  reason: string;
}

/** A NotificationMessage in types, or what is wrong with it as a whole. */
export interface NotificationMessage extends Observed {
  /** Raised by the API server with every change of the spec. */
  generation: number;
  requests: MessageRequests;
  /** The templates' dot: any JSON. */
  body: unknown;
  subscriptions: Subscription[];
  /** What is wrong outside the single subscriptions. */
  problems: Problem[];
  /** Rows that could be read of the status so far; wrong ones are left out. */
  conditions: Condition[];
  phase?: Phase;
}

/** Deepest nesting of `spec.body` that is rendered. */
export const MAX_BODY_DEPTH = 64;

/** Reads an untrusted NotificationMessage: never throws, wrong types become problems with their field path. */
export function parseNotificationMessage(object: KubeObject): NotificationMessage {
  const { generation = 0 } = object.metadata;
  const known = { generation, requests: requestsOf(object.metadata), ...parseStatus(object.status) };
  if (!isObject(object.spec)) {
    const problem = { path: "spec", message: `must be an object and is ${describeType(object.spec)}` };
    return { body: {}, subscriptions: [], problems: [problem], ...known };
  }
  const reader = new FieldReader();
  const subscriptions = reader.list(object.spec, "spec", "notifications").map(parseSubscription);
  const problems = reader.problems;
  if (subscriptions.length === 0 && problems.length === 0) {
    problems.push({ path: "spec.notifications", message: "is empty: add one entry for each subscription" });
  }
  const body = field(object.spec, "body") ?? {};
  if (isDeeperThan(body, MAX_BODY_DEPTH)) {
    problems.push({ path: "spec.body", message: `is nested deeper than ${MAX_BODY_DEPTH} levels: make it flatter` });
  }
  return { body, subscriptions, problems, ...known };
}

function parseSubscription(value: unknown, index: number): Subscription {
  const path = `spec.notifications[${index}]`;
  if (!isObject(value)) {
    const problem = { path, message: `must be an object and is ${describeType(value)}` };
    return { path, name: "", destinations: [], problems: [problem] };
  }
  const reader = new FieldReader();
  const name = reader.text(value, path, "name") ?? "";
  const ephemeral = reader.object(value, path, "ephemeral");
  const destinations = reader.list(value, path, "receivers").flatMap((receiver, place) => {
    const at = `${path}.receivers[${place}]`;
    if (!isObject(receiver)) {
      reader.problems.push({ path: at, message: `must be an object and is ${describeType(receiver)}` });
      return [];
    }
    const destination = reader.text(receiver, at, "destination");
    return destination === undefined ? [] : [{ path: `${at}.destination`, destination }];
  });
  return {
    path,
    name,
    destinations,
    problems: reader.problems,
    ...(ephemeral && { ephemeral: parseEphemeral(ephemeral, `${path}.ephemeral`, reader) }),
  };
}

function parseEphemeral(ephemeral: Fields, path: string, reader: FieldReader) {
  return {
    methods: reader.texts(ephemeral, path, "methods"),
    template: reader.text(ephemeral, path, "template") ?? "",
    users: reader.texts(ephemeral, path, "users"),
    groups: reader.texts(ephemeral, path, "groups"),
  };
}

const PHASES: readonly string[] = ["Pending", "Processing", "Failed", "Done"];

function parseStatus(status: unknown): Observed & { phase?: Phase; conditions: Condition[] } {
  if (!isObject(status)) return { conditions: [] };
  const [phase, conditions] = [field(status, "phase"), field(status, "conditions")];
  const observedGeneration = field(status, "observedGeneration");
  return {
    ...(typeof observedGeneration === "number" && { observedGeneration }),
    ...textField(status, "observedRetry"),
    ...textField(status, "restartedAt"),
    ...(typeof phase === "string" && PHASES.includes(phase) && { phase: phase as Phase }),
    conditions: Array.isArray(conditions) ? conditions.flatMap(parseCondition) : [],
  };
}

function parseCondition(value: unknown): Condition[] {
  if (!isObject(value)) return [];
  const reader = new FieldReader();
  const method = reader.text(value, "", "method") ?? "";
  const status = reader.text(value, "", "status");
  if (status !== "True" && status !== "False" && status !== "Unknown") return [];
  const retryTimes = field(value, "retryTimes");
  return [
    {
      method,
      addresses: reader.texts(value, "", "addresses"),
      type: "Ready",
      status,
      ...textField(value, "notification"),
      ...textField(value, "uid"),
      ...textField(value, "reason"),
      ...textField(value, "message"),
      ...(typeof retryTimes === "number" && { retryTimes }),
      ...textField(value, "lastTransitionTime"),
      ...textField(value, "contentHash"),
      ...textField(value, "fallback"),
      ...(field(value, "uncertain") === true && { uncertain: true }),
    },
  ];
}

/** The field where it is a text, to be spread; nothing else of a status counts. */
function textField(fields: Fields, name: string): Record<string, string> {
  const value = field(fields, name);
  return typeof value === "string" ? { [name]: value } : {};
}

/** Iterative, so that a hostile nesting cannot overflow the stack. */
function isDeeperThan(root: unknown, limit: number): boolean {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
  return false;
}
