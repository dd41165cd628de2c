import { PolicyError } from "../generator/errors.ts";
import { isGeneratePolicy, parsePolicy } from "../generator/parse-policy.ts";
import { type Fields, formatProblem, isObject, type Problem } from "../resources/fields.ts";
import type { KubeObject } from "../resources/object.ts";
import { suggest } from "../template/suggest.ts";
import { findRefusals } from "./check-message.ts";
import { type Finding, findingAt, type Severity } from "./finding.ts";
import { checkFields } from "./known-fields.ts";
import type { Manifest } from "./manifest.ts";

/** Names of fields that a policy may have, for those that are misspelt. */
const POLICY_FIELDS = [
  ...["rules", "applyRules", "background", "failurePolicy", "schemaValidation", "admission", "webhookConfiguration"],
  ...["name", "match", "exclude", "context", "preconditions", "generate", "skipBackgroundRequests", "any", "all"],
  ...["resources", "kinds", "names", "namespaces", "operations", "annotations", "selector", "namespaceSelector"],
  ...["apiVersion", "kind", "namespace", "data", "synchronize", "key", "operator", "value", "message"],
  ...[
    "variable",
    "configMap",
    "apiCall",
    "globalReference",
    "jmesPath",
    "default",
    "urlPath",
    "matchLabels",
    "matchExpressions",
  ],
];

/** The NotificationMessage that a rule generates, as far as the policy says it. */
export interface GeneratedMessage {
  manifest: Manifest;
  object: KubeObject;
  /** `spec.rules[0].generate.data` */
  path: string;
  /** Undefined where an expression makes it. */
  namespace: string | undefined;
}

/** What is wrong with a ClusterPolicy or Policy and with the messages it generates. */
export function checkPolicy(manifest: Manifest): Finding[] {
  if (!isGeneratePolicy(manifest.object)) return checkRuleNames(manifest);
  return [...checkRules(manifest), ...generatedMessages(manifest).flatMap(checkGenerated)];
}

function checkRules(manifest: Manifest): Finding[] {
  try {
    return parsePolicy(manifest.object).warnings.map((warning) => at(manifest, warning, "warning", warning));
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return error.problems.map(
      (problem) => unknownField(manifest, problem) ?? at(manifest, problem.path, "error", formatProblem(problem)),
    );
  }
}

/** A field that the generator does not know and that resembles one it does. */
function unknownField(manifest: Manifest, { path, message }: Problem): Finding | undefined {
  const name = path.split(".").at(-1) ?? "";
  const near = isUnknownField(message) && !POLICY_FIELDS.includes(name) ? suggest(name, POLICY_FIELDS) : undefined;
  return near === undefined ? undefined : misspelt(manifest, path, near);
}

function misspelt(manifest: Manifest, path: string, near: string): Finding {
  const message = `unknown field ${path}: did you mean "${near}"?`;
  return findingAt(manifest.source, manifest.offsetOf(path, "key"), {
    severity: "error",
    rule: "unknown-field",
    message,
  });
}

/** parse-fields.ts says this of fields that it does not know. */
function isUnknownField(message: string): boolean {
  return message.startsWith("is not supported by courier's generator");
}

/** A policy without a generate rule is none of ours, unless the word is misspelt. */
function checkRuleNames(manifest: Manifest): Finding[] {
  return rulesOf(manifest).flatMap((rule, index) => {
    if (!isObject(rule)) return [];
    const name = Object.keys(rule).find((key) => suggest(key, ["generate"]) !== undefined);
    return name === undefined ? [] : [misspelt(manifest, `spec.rules[${index}].${name}`, "generate")];
  });
}

/** The messages of all rules of a policy. */
export function generatedMessages(manifest: Manifest): GeneratedMessage[] {
  return rulesOf(manifest).flatMap((rule, index) => {
    const generate = isObject(rule) ? rule["generate"] : undefined;
    if (!isObject(generate)) return [];
    const path = `spec.rules[${index}].generate`;
    const entries = Array.isArray(generate["foreach"]) ? generate["foreach"] : [];
    return [
      ...messageOf(manifest, generate, path),
      ...entries.flatMap((entry, place) => messageOf(manifest, entry, `${path}.foreach[${place}]`)),
    ];
  });
}

function messageOf(manifest: Manifest, block: unknown, path: string): GeneratedMessage[] {
  if (!isObject(block) || block["kind"] !== "NotificationMessage" || !isObject(block["data"])) return [];
  const { namespace, data } = block as { namespace?: unknown; data: Fields };
  const metadata = isObject(data["metadata"]) ? data["metadata"] : {};
  const isKnown = typeof namespace === "string" && namespace !== "" && !namespace.includes("{{");
  return [
    {
      manifest,
      object: { apiVersion: "", kind: "NotificationMessage", ...data, metadata },
      path: `${path}.data`,
      namespace: isKnown ? namespace : undefined,
    },
  ];
}

function rulesOf({ object: { spec } }: Manifest): unknown[] {
  return isObject(spec) && Array.isArray(spec["rules"]) ? spec["rules"] : [];
}

function checkGenerated({ manifest, object, path }: GeneratedMessage): Finding[] {
  return [...checkFields(manifest, "NotificationMessage", object, path), ...findRefusals(manifest, object, path)];
}

function at(manifest: Manifest, path: string, severity: Severity, message: string): Finding {
  return findingAt(manifest.source, manifest.offsetOf(path.split(" ")[0] ?? ""), { severity, rule: "policy", message });
}
