/** The messages that a phase creates: mostly good ones, and some of every way to be bad. */
import { NOTIFICATION_MESSAGE, NOTIFICATION_TEMPLATE } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import type { Random } from "./random.ts";

export const NAMESPACE = "cpaas-system";

/** One message and what is known of it beforehand. Its addresses belong to no other message. */
export interface Sample {
  name: string;
  phase: string;
  /** Addresses of each task. */
  tasks: string[][];
  /** Destinations that are no addresses. */
  invalid: string[];
  /** Why the message cannot be delivered as it is written. */
  refusal?: "NoRecipients" | "MethodUnsupported";
  object: KubeObject;
}

/** Templates that a phase begins with, and what they are once somebody has mended them. */
export interface PhaseTemplates {
  before: KubeObject[];
  mended: KubeObject[];
}

type Kind =
  | "plain"
  | "several"
  | "two-tasks"
  | "busy"
  | "refused"
  | "policy"
  | "silent"
  | "invalid"
  | "late"
  | "broken"
  | "method"
  | "nobody";

/** Kind → its share in a hundred. */
const SHARES: Record<Kind, number> = {
  plain: 54,
  several: 12,
  "two-tasks": 6,
  busy: 5,
  refused: 5,
  policy: 3,
  silent: 2,
  invalid: 3,
  late: 4,
  broken: 2,
  method: 2,
  nobody: 2,
};

const CONTENT = "Hello {{ .labels.name }},\n\nthe {{ .labels.kind }} changed.\n";

export function makeSamples(phase: string, count: number, random: Random): Sample[] {
  const kinds = (Object.keys(SHARES) as Kind[]).flatMap((kind) => Array<Kind>(SHARES[kind]).fill(kind));
  return Array.from({ length: count }, (_, index) => makeSample(phase, index, random.pick(kinds), random));
}

/** The template that good messages use, the same in all phases. */
export function goodTemplate(): KubeObject {
  return template("change", CONTENT);
}

export function templatesOf(phase: string): PhaseTemplates {
  return {
    before: [template(`broken-${phase}`, "Hello {{ .labels.name ")],
    mended: [template(`broken-${phase}`, CONTENT), template(`late-${phase}`, CONTENT)],
  };
}

function makeSample(phase: string, index: number, kind: Kind, random: Random): Sample {
  const name = `${phase}-${index}`;
  const address = (what: string, task = 1, place = 1) => `${what}-${name}-${task}-${place}@chaos.example`;
  const sample = (tasks: string[][], more: Partial<Sample> & { template?: string; methods?: string[] } = {}) => {
    const { template = "change", methods = ["Email"], ...known } = more;
    const invalid = known.invalid ?? [];
    const receivers = tasks.map((addresses, task) => (task === 0 ? [...addresses, ...invalid] : addresses));
    return { name, phase, tasks, ...known, invalid, object: messageOf(name, receivers, template, methods) };
  };
  switch (kind) {
    case "several": {
      const count = random.integer(2, 5);
      return sample([Array.from({ length: count }, (_, place) => address("ok", 1, place + 1))]);
    }
    case "two-tasks":
      return sample([[address("ok", 1)], [address("ok", 2), address("ok", 2, 2)]]);
    case "busy":
      return sample([[address("busy"), address("ok", 1, 2)]]);
    case "refused":
      return sample([[address("refused"), ...(random.next() < 0.5 ? [address("ok", 1, 2)] : [])]]);
    case "policy":
      return sample([[address("policy")]]);
    case "silent":
      return sample([[address("silent")]]);
    case "invalid":
      return sample([[address("ok")]], { invalid: [`nobody-${name}`] });
    case "late":
      return sample([[address("ok")]], { template: `late-${phase}` });
    case "broken":
      return sample([[address("ok")]], { template: `broken-${phase}` });
    case "method":
      return sample([[]], { methods: ["Carrier-Pigeon"], refusal: "MethodUnsupported" });
    case "nobody":
      return sample([[]], { refusal: "NoRecipients" });
    case "plain":
      return sample([[address("ok")]]);
    default:
      return kind satisfies never;
  }
}

function messageOf(name: string, receivers: string[][], templateName: string, methods: string[]): KubeObject {
  return {
    apiVersion: `${NOTIFICATION_MESSAGE.group}/${NOTIFICATION_MESSAGE.version}`,
    kind: NOTIFICATION_MESSAGE.kind,
    metadata: { name, namespace: NAMESPACE },
    spec: {
      body: { labels: { name, kind: "ConfigMap" } },
      notifications: receivers.map((destinations, task) => ({
        name: `task-${task + 1}`,
        ephemeral: { methods, template: templateName },
        receivers: destinations.map((destination) => ({ destination })),
      })),
    },
  };
}

function template(name: string, content: string): KubeObject {
  return {
    apiVersion: `${NOTIFICATION_TEMPLATE.group}/${NOTIFICATION_TEMPLATE.version}`,
    kind: NOTIFICATION_TEMPLATE.kind,
    metadata: { name, namespace: NAMESPACE },
    spec: { templates: [{ type: "Email", subject: "Change of {{ .labels.name }}", content }] },
  };
}
