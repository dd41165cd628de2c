import { PolicyError } from "../generator/errors.ts";
import { isGeneratePolicy, parsePolicy } from "../generator/parse-policy.ts";
import { formatProblem, isObject, type Problem } from "../resources/fields.ts";
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
  ...["variable", "configMap", "apiCall", "jmesPath", "default", "urlPath", "matchLabels", "matchExpressions"],
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
  const { spec } = manifest.object;
  const rules = isObject(spec) && Array.isArray(spec["rules"]) ? spec["rules"] : [];
  return rules.flatMap((rule, index) => {
    if (!isObject(rule)) return [];
    const name = Object.keys(rule).find((key) => suggest(key, ["generate"]) !== undefined);
    return name === undefined ? [] : [misspelt(manifest, `spec.rules[${index}].${name}`, "generate")];
  });
}

/** The messages of all rules of a policy. */
export function generatedMessages(manifest: Manifest): GeneratedMessage[] {
  const { spec } = manifest.object;
  const rules = isObject(spec) && Array.isArray(spec["rules"]) ? spec["rules"] : [];
  return rules.flatMap((rule, index) => {
    const generate = isObject(rule) ? rule["generate"] : undefined;
    if (!isObject(generate) || generate["kind"] !== "NotificationMessage" || !isObject(generate["data"])) return [];
    const namespace = typeof generate["namespace"] === "string" ? generate["namespace"] : "";
    const metadata = isObject(generate["data"]["metadata"]) ? generate["data"]["metadata"] : {};
    return [
      {
        manifest,
        object: { apiVersion: "", kind: "NotificationMessage", ...generate["data"], metadata },
        path: `spec.rules[${index}].generate.data`,
        namespace: namespace === "" || namespace.includes("{{") ? undefined : namespace,
      },
    ];
  });
}

function checkGenerated({ manifest, object, path }: GeneratedMessage): Finding[] {
  return [...checkFields(manifest, "NotificationMessage", object, path), ...findRefusals(manifest, object, path)];
}

function at(manifest: Manifest, path: string, severity: Severity, message: string): Finding {
  return findingAt(manifest.source, manifest.offsetOf(path.split(" ")[0] ?? ""), { severity, rule: "policy", message });
}
