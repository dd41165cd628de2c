/** What shows only when templates are seen beside the messages and policies that use them. */
import { planDelivery } from "../delivery/plan.ts";
import { parseNotificationMessage } from "../resources/notification-message.ts";
import { suggest } from "../template/suggest.ts";
import { type Body, type Presence, presenceOfUse } from "./body-shape.ts";
import { generatedMessages } from "./check-policy.ts";
import { type Finding, findingAt } from "./finding.ts";
import type { Manifest } from "./manifest.ts";
import { findTemplate } from "./preview.ts";
import { findTemplateErrors, inPart, readTemplate, type TemplateManifest } from "./template-part.ts";
import { findUses, formatPath, parseGoTemplate, type VariableUse } from "./template-uses.ts";

/** One subscription that names a template, with the body that the template will get. */
interface Caller {
  manifest: Manifest;
  /** Where the template is named. */
  path: string;
  template: string;
  namespace: string | undefined;
  body: Body;
}

/** Templates that are named and missing, variables that are shown and never set, templates that fail on a body. */
export function checkTogether(manifests: readonly Manifest[]): Finding[] {
  const templates = manifests.filter(({ object }) => object.kind === "NotificationTemplate");
  const users = new Map<Manifest, Caller[]>();
  const findings: Finding[] = [];
  for (const caller of manifests.flatMap(findCallers)) {
    const template = findTemplate(templates, caller.template, caller.namespace);
    if (template === undefined) findings.push(missingTemplate(caller, templates));
    else users.set(template, [...(users.get(template) ?? []), caller]);
  }
  for (const [manifest, callers] of users) {
    const template = readTemplate(manifest);
    if (template === undefined) continue;
    findings.push(...checkRendering(template, callers), ...checkVariables(template, callers));
  }
  return findings;
}

function findCallers(manifest: Manifest): Caller[] {
  const { kind } = manifest.object;
  if (kind === "NotificationMessage") return callersIn(manifest, manifest.object, "", manifest.identity.namespace);
  if (kind !== "ClusterPolicy" && kind !== "Policy") return [];
  return generatedMessages(manifest).flatMap(({ object, path, namespace }) =>
    callersIn(manifest, object, path, namespace),
  );
}

function callersIn(
  manifest: Manifest,
  object: Manifest["object"],
  root: string,
  namespace: string | undefined,
): Caller[] {
  const message = parseNotificationMessage(object);
  return message.subscriptions.flatMap(({ path, ephemeral }) => {
    const template = ephemeral?.template ?? "";
    if (template === "" || (root !== "" && template.includes("{{"))) return [];
    const at = `${root === "" ? "" : `${root}.`}${path}.ephemeral.template`;
    return [{ manifest, path: at, template, namespace, body: { value: message.body, isGenerated: root !== "" } }];
  });
}

function missingTemplate({ manifest, path, template }: Caller, templates: readonly Manifest[]): Finding {
  const near = suggest(
    template,
    templates.map(({ identity }) => identity.name),
  );
  const advice = near === undefined ? "see that the cluster has it, or validate it too" : `did you mean "${near}"?`;
  return findingAt(manifest.source, manifest.offsetOf(path), {
    severity: "warning",
    rule: "template-not-found",
    message: `NotificationTemplate "${template}" is not among these files: ${advice}`,
  });
}

/** Renders the template with each message's body; bodies that a policy generates are not known yet. */
function checkRendering(template: TemplateManifest, callers: readonly Caller[]): Finding[] {
  return callers.flatMap(({ manifest, body }) => {
    if (body.isGenerated || planDelivery(parseNotificationMessage(manifest.object)).tasks.length === 0) return [];
    return findTemplateErrors(template, { body: body.value }).map((finding) =>
      finding.rule === "render-failed"
        ? { ...finding, message: `${finding.message}, rendered with ${whereIs(manifest)}` }
        : finding,
    );
  });
}

function checkVariables(template: TemplateManifest, callers: readonly Caller[]): Finding[] {
  if (template.email.dialect !== "go") return [];
  return [template.subject, template.content].flatMap((part) => {
    const definitions = parseGoTemplate(part.source);
    const uses = definitions === undefined ? [] : findUses(definitions);
    return uses.flatMap((use) => {
      const problem = problemWith(use, callers);
      if (problem === undefined) return [];
      const { severity, message } = problem;
      const fact = { severity, rule: "unset-variable" as const, message: `${message} ${inPart(template, part)}` };
      return [findingAt(template.manifest.source, part.offsetOf(use.offset), fact)];
    });
  });
}

/** An error where no message sets the variable, a warning where some do. */
function problemWith(use: VariableUse, callers: readonly Caller[]): Pick<Finding, "severity" | "message"> | undefined {
  const presences = callers.map((caller) => ({ caller, presence: presenceOfUse(use, caller.body) }));
  const unset = presences.filter(({ presence }) => presence.kind === "unset");
  const [first] = unset;
  if (first === undefined) return undefined;
  const variable = formatPath(use.path);
  if (unset.length < presences.length) {
    const told = `${variable} is not set by ${whereIs(first.caller.manifest)}: set it in spec.body there, or put it inside {{ if … }}`;
    return { severity: "warning", message: told };
  }
  const others = unset.length > 1 ? ` and ${unset.length - 1} more` : "";
  const advice = nearestOf(first.presence) ?? `set it in spec.body there, or put it inside {{ if … }}`;
  return {
    severity: "error",
    message: `${variable} is never set by ${whereIs(first.caller.manifest)}${others}: ${advice}`,
  };
}

function nearestOf(presence: Presence): string | undefined {
  return presence.kind === "unset" && presence.nearest !== undefined
    ? `did you mean "${presence.nearest}"?`
    : undefined;
}

function whereIs(manifest: Manifest): string {
  return `${manifest.title} (${manifest.source.path}:${manifest.source.placeAt(manifest.offset).line})`;
}
