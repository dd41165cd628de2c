import { languageTag } from "../mail/headers.ts";
import { isObject } from "../resources/fields.ts";
import {
  BODY_TYPE_LABEL,
  ENGINE_LABEL,
  LANGUAGE_LABEL,
  LEGACY_BODY_TYPE_LABEL,
  parseEmailTemplate,
} from "../resources/notification-template.ts";
import { suggest } from "../template/suggest.ts";
import { checkHtml } from "./check-html.ts";
import { type Finding, findingAt, type Rule, type Severity } from "./finding.ts";
import type { Manifest } from "./manifest.ts";
import { emptinessOf } from "./subject.ts";
import { findTemplateErrors, inPart, readTemplate, type TemplateManifest } from "./template-part.ts";
import { parseGoTemplate } from "./template-uses.ts";

/** What is wrong with a NotificationTemplate on its own, whatever its messages hold. */
export function checkTemplate(manifest: Manifest): Finding[] {
  const findings = checkLabels(manifest);
  const parsed = parseEmailTemplate(manifest.object);
  if ("problem" in parsed) {
    const { path, message } = parsed.problem;
    return [...findings, finding(manifest, path, "error", "wrong-value", `${path} ${message}`)];
  }
  const template = readTemplate(manifest);
  if (template === undefined) return findings;
  const errors = findTemplateErrors(template);
  const isReadable = errors.length === 0 || parseGoTemplate(template.content.source) !== undefined;
  return [...findings, ...errors, ...checkSubject(template), ...(isReadable ? checkHtml(template) : [])];
}

function finding(manifest: Manifest, path: string, severity: Severity, rule: Rule, message: string): Finding {
  return findingAt(manifest.source, manifest.offsetOf(path), { severity, rule, message });
}

const LABELS = [BODY_TYPE_LABEL, LEGACY_BODY_TYPE_LABEL, ENGINE_LABEL, LANGUAGE_LABEL];

/** A label that is misspelt has no effect, and nothing else would say so. */
function checkLabels(manifest: Manifest): Finding[] {
  const { metadata } = manifest.object;
  const labels = isObject(metadata) && isObject(metadata.labels) ? metadata.labels : {};
  return Object.entries(labels).flatMap(([name, value]) => {
    const path = `metadata.labels["${name}"]`;
    if (name === LANGUAGE_LABEL && languageTag(String(value)) === undefined) {
      const told = `${path} is "${value}", which is no language: use EN, ZH or another language tag`;
      return [finding(manifest, path, "warning", "wrong-value", told)];
    }
    const near = LABELS.includes(name) ? undefined : suggest(name, LABELS);
    if (near === undefined) return [];
    const offset = manifest.offsetOf(path, "key");
    const message = `unknown label ${name}: did you mean "${near}"?`;
    return [findingAt(manifest.source, offset, { severity: "error", rule: "unknown-field", message })];
  });
}

function checkSubject(template: TemplateManifest): Finding[] {
  const { manifest, email, subject } = template;
  const definitions = email.dialect === "go" ? parseGoTemplate(subject.source) : undefined;
  const emptiness = definitions === undefined ? handlebarsEmptiness(subject.source) : emptinessOf(definitions);
  const isBroken = email.dialect === "go" && definitions === undefined;
  if (emptiness === "never" || isBroken) return [];
  const told =
    emptiness === "always"
      ? `the subject is empty, and mails show "(no subject)": write one ${inPart(template, subject)}`
      : `the subject can be empty, and mails then show "(no subject)": add words of its own, or default "…" before the variable ${inPart(template, subject)}`;
  const severity = emptiness === "always" ? "error" : "warning";
  return [finding(manifest, subject.path, severity, "empty-subject", told)];
}

function handlebarsEmptiness(source: string): "always" | "possible" | "never" {
  if (source.trim() === "") return "always";
  const isBlock = source.includes("{{#");
  return !isBlock && source.replace(/\{\{[^}]*\}\}/g, "").trim() !== "" ? "never" : "possible";
}
