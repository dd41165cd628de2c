/** The fields that courier reads, and those that Kubernetes gives every object: others are most often misspelt. */
import { isObject } from "../resources/fields.ts";
import { suggest } from "../template/suggest.ts";
import { type Finding, findingAt } from "./finding.ts";
import type { Manifest } from "./manifest.ts";

/** Names and what is below them; `true`: anything, and `[]` stands for the items of a list. */
interface Shape {
  [name: string]: Shape | true;
}

const METADATA: Shape = Object.fromEntries(
  [
    ...["name", "generateName", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "uid"],
    ...["resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"],
    ...["managedFields", "selfLink"],
  ].map((name) => [name, true]),
);
const OBJECT: Shape = { apiVersion: true, kind: true, metadata: METADATA };
const PART: Shape = { type: true, subject: true, content: true };

const SHAPES: Record<string, Shape> = {
  NotificationTemplate: {
    ...OBJECT,
    spec: { templates: { "[]": PART }, email: PART, sms: PART, webhook: PART },
    status: true,
  },
  NotificationMessage: {
    ...OBJECT,
    spec: {
      body: true,
      notifications: {
        "[]": {
          name: true,
          ephemeral: { methods: true, template: true, users: true, groups: true },
          receivers: { "[]": { destination: true } },
        },
      },
    },
    status: true,
  },
  Secret: { ...OBJECT, type: true, data: true, stringData: true, immutable: true },
};

/** Fields of `value` at `path` that `kind` does not have. One that resembles a field is an error, another is only told. */
export function checkFields(
  manifest: Manifest,
  kind = manifest.object.kind,
  value: unknown = manifest.object,
  path = "",
): Finding[] {
  const shape = Object.hasOwn(SHAPES, kind) ? SHAPES[kind] : undefined;
  return shape === undefined ? [] : walk(manifest, shape, value, path);
}

function walk(manifest: Manifest, shape: Shape | true, value: unknown, path: string): Finding[] {
  if (shape === true) return [];
  const items = shape["[]"];
  if (items !== undefined)
    return Array.isArray(value) ? value.flatMap((item, index) => walk(manifest, items, item, `${path}[${index}]`)) : [];
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const below = Object.hasOwn(shape, name) ? shape[name] : undefined;
    return below === undefined
      ? [unknownField(manifest, at, name, Object.keys(shape))]
      : walk(manifest, below, inner, at);
  });
}

function unknownField(manifest: Manifest, path: string, name: string, known: string[]): Finding {
  const near = suggest(name, known);
  const advice = near === undefined ? "courier does not read it" : `did you mean "${near}"?`;
  return findingAt(manifest.source, manifest.offsetOf(path, "key"), {
    severity: near === undefined ? "warning" : "error",
    rule: "unknown-field",
    message: `unknown field ${path}: ${advice}`,
  });
}
