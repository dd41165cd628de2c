/** First stage of a message's life, called by reconcile.ts: message → tasks. Pure. Render comes next. */
import { formatProblem } from "../resources/fields.ts";
import type { NotificationMessage, Subscription } from "../resources/notification-message.ts";
import { parseRecipient } from "../resources/recipient.ts";
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

/** What is to be done for a message: every subscription ends in tasks, in refusals that say why not, or in both. */
export function planDelivery(message: NotificationMessage): Plan {
  if (message.problems.length > 0) {
    const told = message.problems.map(formatProblem).join("; ");
    const whole = { taskId: "message", notification: "", method: "", addresses: [] };
    return { tasks: [], refusals: [{ ...whole, reason: "SubscriptionInvalid", message: told }] };
  }
  const names = new Map<string, number>();
  const plans = message.subscriptions.map((subscription) => {
    const count = (names.get(subscription.name) ?? 0) + 1;
    names.set(subscription.name, count);
    return planSubscription(subscription, count === 1 ? subscription.name : `${subscription.name}#${count}`);
  });
  return { tasks: plans.flatMap(({ tasks }) => tasks), refusals: plans.flatMap(({ refusals }) => refusals) };
}

function planSubscription(subscription: Subscription, id: string): Plan {
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
      const email = planEmail(subscription, id, ephemeral, refuse);
      plan.tasks.push(...email.tasks);
      plan.refusals.push(...email.refusals);
    } else {
      const at = `${path}.ephemeral.methods[${index}]`;
      plan.refusals.push(refuse("MethodUnsupported", `${at} is "${method}": this service delivers Email only`, method));
    }
  }
  return plan;
}

type Ephemeral = NonNullable<Subscription["ephemeral"]>;
type Refuse = (reason: Reason, message: string, method?: string, addresses?: string[]) => Refusal;

function planEmail(subscription: Subscription, id: string, ephemeral: Ephemeral, refuse: Refuse): Plan {
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

/** A status is no place for a megabyte somebody put where an address belongs. */
function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
