/** First stage of a message's life, called by reconcile.ts: message → tasks. Pure. Render comes next. */
import { hash } from "node:crypto";
import { formatProblem, isObject, type Problem } from "../resources/fields.ts";
import type { NotificationMessage, Subscription } from "../resources/notification-message.ts";
import { parseRecipient } from "../resources/recipient.ts";
import { visibleLine } from "../resources/visible.ts";
import type { Reason } from "./reasons.ts";

/** A subscription × a method: one text, for all its recipients. */
export interface Task {
  /** Unique and stable within the message: `name/Email`, numbered from the second of the same name. */
  id: string;
  notification: string;
  method: "Email";
  /** Name of a NotificationTemplate in the message's namespace. */
  template: string;
  /** Bare, valid addresses, each once. */
  recipients: string[];
  /** Differs where template or body do: a task with another content is another mail, to everybody. */
  contentHash: string;
}

/** A part of the message that cannot become mail however often it is tried. */
export interface Refusal {
  taskId: string;
  notification: string;
  method: string;
  /** The destinations concerned, as they were written; empty where the whole subscription is refused. */
  addresses: string[];
  reason: Reason;
  message: string;
}

export interface Plan {
  tasks: Task[];
  refusals: Refusal[];
}

/**
 * More than these would make a status that etcd does not take (1.5 MiB an object), and a message that cannot be recorded
 * must not be sent.
 */
const MAX_DESTINATIONS = 1000;
const MAX_SUBSCRIPTIONS = 100;
const MAX_METHODS = 10;
const MAX_NAME_CHARS = 1024;

/** The task id of what concerns the message as a whole. */
export const WHOLE_MESSAGE = "message";

/** What is to be done for a message: every subscription ends in tasks, in refusals that say why not, or in both. */
export function planDelivery(message: NotificationMessage): Plan {
  const problems = [...message.problems, ...sizeProblems(message)];
  if (problems.length > 0) {
    const told = problems.map(formatProblem).join("; ");
    const whole = { taskId: WHOLE_MESSAGE, notification: "", method: "", addresses: [] };
    return { tasks: [], refusals: [{ ...whole, reason: "SubscriptionInvalid", message: told }] };
  }
  const ids = new Set<string>();
  const bodyHash = hashOf(canonicalJson(message.body));
  const plans = message.subscriptions.map((given) => {
    const subscription = { ...given, name: visibleLine(given.name) };
    const id = uniqueId(subscription.name, ids);
    ids.add(id);
    return planSubscription(subscription, id, bodyHash);
  });
  return { tasks: plans.flatMap(({ tasks }) => tasks), refusals: plans.flatMap(({ refusals }) => refusals) };
}

function sizeProblems({ subscriptions }: NotificationMessage): Problem[] {
  const problems: Problem[] = [];
  const limit = (path: string, what: string, count: number, max: number) => {
    if (count > max) problems.push({ path, message: `has ${count} ${what}, and at most ${max} are taken: split it` });
  };
  limit("spec.notifications", "entries", subscriptions.length, MAX_SUBSCRIPTIONS);
  const destinations = subscriptions.reduce((sum, { destinations }) => sum + destinations.length, 0);
  limit("spec.notifications", "receivers in all", destinations, MAX_DESTINATIONS);
  for (const { path, name, ephemeral } of subscriptions.slice(0, MAX_SUBSCRIPTIONS)) {
    limit(`${path}.name`, "characters", name.length, MAX_NAME_CHARS);
    limit(`${path}.ephemeral.methods`, "entries", ephemeral?.methods.length ?? 0, MAX_METHODS);
  }
  return problems;
}

/** The name, numbered where an entry before has it. */
function uniqueId(name: string, taken: ReadonlySet<string>): string {
  let id = name;
  for (let count = 2; taken.has(id); count++) id = `${name}#${count}`;
  return id;
}

function planSubscription(subscription: Subscription, id: string, bodyHash: string): Plan {
  const refuse = (reason: Reason, message: string, method = "", addresses: string[] = []): Refusal => ({
    taskId: `${id}/${method}`,
    notification: subscription.name,
    method,
    addresses,
    reason,
    message,
  });
  const { ephemeral, path } = subscription;
  if (subscription.problems.length > 0) {
    return refused(refuse("SubscriptionInvalid", subscription.problems.map(formatProblem).join("; ")));
  }
  if (ephemeral === undefined) return refused(refuse("SubscriptionInvalid", explainNamed(subscription)));
  if (ephemeral.methods.length === 0) {
    return refused(refuse("SubscriptionInvalid", `${path}.ephemeral.methods is empty: add Email`));
  }
  const plan: Plan = { tasks: [], refusals: [] };
  for (const [index, method] of ephemeral.methods.entries()) {
    if (ephemeral.methods.indexOf(method) !== index) continue;
    if (method === "Email") {
      const email = planEmail(subscription, { id, bodyHash }, ephemeral, refuse);
      plan.tasks.push(...email.tasks);
      plan.refusals.push(...email.refusals);
    } else {
      const at = `${path}.ephemeral.methods[${index}]`;
      const told = `${at} is "${shorten(method)}": this service delivers Email only`;
      plan.refusals.push(refuse("MethodUnsupported", told, shorten(method)));
    }
  }
  return plan;
}

type Ephemeral = NonNullable<Subscription["ephemeral"]>;
type Refuse = (reason: Reason, message: string, method?: string, addresses?: string[]) => Refusal;

function planEmail(
  subscription: Subscription,
  { id, bodyHash }: { id: string; bodyHash: string },
  ephemeral: Ephemeral,
  refuse: Refuse,
): Plan {
  const { path, name, destinations } = subscription;
  const refusals: Refusal[] = [];
  if (ephemeral.users.length > 0 || ephemeral.groups.length > 0) {
    const where = ephemeral.users.length > 0 ? "users" : "groups";
    const told = `${path}.ephemeral.${where}: users and groups are not resolved yet: list the addresses in receivers[].destination`;
    refusals.push(refuse("SubscriptionInvalid", told, "Email"));
  }
  if (ephemeral.template === "") {
    const told = `${path}.ephemeral.template is missing: name a NotificationTemplate of this namespace`;
    return { tasks: [], refusals: [...refusals, refuse("SubscriptionInvalid", told, "Email")] };
  }
  const recipients = new Set<string>();
  for (const { path: at, destination } of destinations) {
    const parsed = parseRecipient(destination);
    if ("address" in parsed) recipients.add(parsed.address);
    else refusals.push(refuse("RecipientRejected", `${at}: ${parsed.refusal}`, "Email", [shorten(destination)]));
  }
  if (destinations.length === 0 && refusals.length === 0) {
    const told = `${path}.receivers is empty: add {destination: <e-mail address>}`;
    refusals.push(refuse("NoRecipients", told, "Email"));
  }
  if (recipients.size === 0) return { tasks: [], refusals };
  const task: Task = {
    id: `${id}/Email`,
    notification: name,
    method: "Email",
    template: ephemeral.template,
    recipients: [...recipients],
    contentHash: hashOf(`${bodyHash} ${ephemeral.template}`),
  };
  return { tasks: [task], refusals };
}

function explainNamed({ path, name }: Subscription): string {
  return name === ""
    ? `${path} has no ephemeral: add ephemeral.methods and ephemeral.template`
    : `${path} names the Notification "${name}", and subscriptions by name are not resolved yet: add ephemeral.methods and ephemeral.template`;
}

function refused(refusal: Refusal): Plan {
  return { tasks: [], refusals: [refusal] };
}

/** What identifies a task's mail within its message, in every attempt: the Message-ID is made of it. */
export function mailIdOf({ id, contentHash }: Task): string {
  return `${id} ${contentHash}`;
}

function hashOf(text: string): string {
  return hash("sha256", text).slice(0, 16);
}

/** The same for the same JSON, in whatever order its keys come. Its depth was bounded before. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isObject(value)) return typeof value === "bigint" ? String(value) : (JSON.stringify(value) ?? "null");
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(",")}}`;
}

/** A status is no place for a megabyte somebody put where an address belongs, nor for a terminal's control characters. */
function shorten(text: string): string {
  return visibleLine(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
