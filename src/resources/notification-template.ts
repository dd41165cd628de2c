import { describeType, FieldReader, type Fields, field, isObject, type Problem } from "./fields.ts";
import type { KubeObject } from "./object.ts";

export const BODY_TYPE_LABEL = "cpaas.io/template.email.body.type";
/** The older name of {@link BODY_TYPE_LABEL}. */
export const LEGACY_BODY_TYPE_LABEL = "cpaas.io/message-type";
export const LANGUAGE_LABEL = "cpaas.io/template.language";
export const ENGINE_LABEL = "courier.io/template.engine";

/** The e-mail part of a NotificationTemplate. */
export interface EmailTemplate {
  bodyType: "Html" | "Text";
  dialect: "go" | "handlebars";
  language?: string;
  subject: string;
  content: string;
}

/**
 * The e-mail part of an untrusted NotificationTemplate in either of its shapes (`spec.templates[]` or `spec.email`), or
 * the one problem that keeps it from being used.
 */
export function parseEmailTemplate(object: KubeObject): EmailTemplate | { problem: Problem } {
  const labels = parseLabels(object);
  if ("problem" in labels) return labels;
  if (!isObject(object.spec)) {
    return { problem: { path: "spec", message: `must be an object and is ${describeType(object.spec)}` } };
  }
  const reader = new FieldReader();
  const found = findEmailPart(object.spec, reader);
  const [wrongType] = reader.problems;
  if (wrongType !== undefined) return { problem: wrongType };
  if ("problem" in found) return found;
  const subject = reader.text(found.part, found.path, "subject") ?? "";
  const content = reader.text(found.part, found.path, "content");
  const [problem] = reader.problems;
  if (problem !== undefined) return { problem };
  if (content === undefined) {
    return { problem: { path: `${found.path}.content`, message: "is missing: add the text of the mail" } };
  }
  return { ...labels, subject, content };
}

type EmailPart = { part: Fields; path: string } | { problem: Problem };

function findEmailPart(spec: Fields, reader: FieldReader): EmailPart {
  const templates = reader.list(spec, "spec", "templates");
  const types: string[] = [];
  for (const [index, part] of templates.entries()) {
    if (!isObject(part)) continue;
    const type = field(part, "type");
    if (type === "Email") return { part, path: `spec.templates[${index}]` };
    types.push(String(type));
  }
  const email = reader.object(spec, "spec", "email");
  if (email !== undefined) return { part: email, path: "spec.email" };
  const others = types.length > 0 ? `holds only ${types.join(", ")}` : "holds no e-mail part";
  return {
    problem: { path: "spec.templates", message: `${others}: add an entry {type: Email, subject: …, content: …}` },
  };
}

function parseLabels(
  object: KubeObject,
): Pick<EmailTemplate, "bodyType" | "dialect" | "language"> | { problem: Problem } {
  const labels = isObject(object.metadata.labels) ? object.metadata.labels : {};
  const label = (name: string) => {
    const value = field(labels, name);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const written = label(BODY_TYPE_LABEL) ?? label(LEGACY_BODY_TYPE_LABEL) ?? "Text";
  const bodyType = (["Html", "Text"] as const).find((type) => type.toLowerCase() === written.toLowerCase());
  if (bodyType === undefined) {
    const message = `is "${written}": use Html or Text`;
    return { problem: { path: `metadata.labels["${BODY_TYPE_LABEL}"]`, message } };
  }
  const dialect = label(ENGINE_LABEL) ?? "go";
  if (dialect !== "go" && dialect !== "handlebars") {
    return {
      problem: { path: `metadata.labels["${ENGINE_LABEL}"]`, message: `is "${dialect}": use go or handlebars` },
    };
  }
  const language = label(LANGUAGE_LABEL);
  return { bodyType, dialect, ...(language !== undefined && { language }) };
}
