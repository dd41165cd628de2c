/** The two parts of a NotificationTemplate's e-mail, and the errors in them with their places in the file. */
import { field, isObject } from "../resources/fields.ts";
import { type EmailTemplate, parseEmailTemplate } from "../resources/notification-template.ts";
import type { KubeObject } from "../resources/object.ts";
import { compileTemplate, TemplateError } from "../template/index.ts";
import type { Finding } from "./finding.ts";
import { findingAt } from "./finding.ts";
import type { Manifest } from "./manifest.ts";

export type PartName = "subject" | "content";

/** One part of a template in a file. */
export interface TemplatePart {
  name: PartName;
  /** `spec.templates[0].subject` */
  path: string;
  source: string;
  /** From an offset in the template's source to one in the file. */
  offsetOf(templateOffset: number): number;
}

/** A NotificationTemplate whose fields can be read; its parts need not compile. */
export interface TemplateManifest {
  manifest: Manifest;
  email: EmailTemplate;
  subject: TemplatePart;
  content: TemplatePart;
}

/** The template in a manifest, or undefined where its fields are wrong: validating tells which. */
export function readTemplate(manifest: Manifest): TemplateManifest | undefined {
  const email = parseEmailTemplate(manifest.object);
  if ("problem" in email) return undefined;
  const at = emailPath(manifest.object);
  const part = (name: PartName): TemplatePart => {
    const path = `${at}.${name}`;
    const text = manifest.textAt(path);
    return { name, path, source: email[name], offsetOf: text?.offsetOf ?? (() => manifest.offsetOf(path)) };
  };
  return { manifest, email, subject: part("subject"), content: part("content") };
}

/** Where {@link parseEmailTemplate} finds the e-mail part. */
function emailPath({ spec }: KubeObject): string {
  const templates = isObject(spec) ? field(spec, "templates") : undefined;
  const index = Array.isArray(templates)
    ? templates.findIndex((part) => isObject(part) && part["type"] === "Email")
    : -1;
  return index === -1 ? "spec.email" : `spec.templates[${index}]`;
}

/** The error that each part has when it is compiled and, with `data`, rendered: at most one a part. */
export function findTemplateErrors(template: TemplateManifest, data?: { body: unknown }): Finding[] {
  return [template.subject, template.content].flatMap((part) => {
    const error = errorOf(part, template.email, data);
    return error === undefined ? [] : [templateFinding(template, part, error)];
  });
}

function errorOf(part: TemplatePart, email: EmailTemplate, data?: { body: unknown }): TemplateError | undefined {
  const mode = part.name === "content" && email.bodyType === "Html" ? "html" : "text";
  try {
    const compiled = compileTemplate(part.source, { name: part.name, mode, dialect: email.dialect });
    if (data !== undefined) compiled.render(data.body);
    return undefined;
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
}

function templateFinding(template: TemplateManifest, part: TemplatePart, error: TemplateError): Finding {
  const offset = part.offsetOf(error.line > 0 ? offsetAt(part.source, error.line, error.column) : 0);
  const rule = error.stage === "exec" ? "render-failed" : "template-syntax";
  const message = `${error.problem} ${inPart(template, part)}`;
  return findingAt(template.manifest.source, offset, { severity: "error", rule, message });
}

/** The end of a sentence: which part of which template it is about. */
export function inPart({ manifest }: TemplateManifest, { name }: TemplatePart): string {
  return `(${name} of ${manifest.title})`;
}

/** A UTF-16 offset from a line and a column in characters. */
function offsetAt(source: string, line: number, column: number): number {
  const before = source.split("\n").slice(0, line - 1);
  const start = before.reduce((sum, text) => sum + text.length + 1, 0);
  const lineText = source.slice(start).split("\n")[0] ?? "";
  return start + [...lineText].slice(0, column - 1).join("").length;
}
