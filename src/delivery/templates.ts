import { formatProblem } from "../resources/fields.ts";
import { parseEmailTemplate } from "../resources/notification-template.ts";
import { formatKey, type KubeObject, type ObjectMeta } from "../resources/object.ts";
import { type CompiledTemplate, compileTemplate, TemplateError } from "../template/index.ts";
import type { TemplateTrouble } from "./fallback.ts";

/** A NotificationTemplate ready to render: compiled once a version, shared by all messages. */
export interface MailTemplate {
  bodyType: "Html" | "Text";
  language?: string;
  subject: CompiledTemplate;
  content: CompiledTemplate;
}

/** A template that can be used, or the reason why not, for people. */
export type TemplateLookup = { template: MailTemplate } | TemplateTrouble;

export interface TemplateOptions {
  /** Whether templates may call `safeHtml`; see {@link compileTemplate}. */
  allowSafeHtml?: boolean;
}

type Entry = { object: KubeObject; lookup?: TemplateLookup };

/** The NotificationTemplates of the watched namespaces, fed by their watch; each is compiled when first needed. */
export class TemplateStore {
  readonly #entries = new Map<string, Entry>();
  readonly #options: TemplateOptions;
  /** Why the templates of a namespace ("" for all) cannot be read at the moment. */
  readonly #troubles = new Map<string, string>();

  constructor(options: TemplateOptions) {
    this.#options = options;
  }

  /** Whether it is another version than the one that was known. */
  set(object: KubeObject): boolean {
    const known = this.#entries.get(keyOf(object.metadata));
    if (known?.object.metadata.resourceVersion === object.metadata.resourceVersion) return false;
    this.#entries.set(keyOf(object.metadata), { object });
    return true;
  }

  delete(metadata: ObjectMeta): void {
    this.#entries.delete(keyOf(metadata));
  }

  /** Keeps only the templates of `namespace` ("" for all) that `names` has: the end of a new list. */
  retain(namespace: string, names: ReadonlySet<string>): void {
    for (const [key, { object }] of this.#entries) {
      const isCovered = namespace === "" || object.metadata.namespace === namespace;
      if (isCovered && !names.has(key)) this.#entries.delete(key);
    }
  }

  setTrouble(namespace: string, trouble: string | undefined): void {
    if (trouble === undefined) this.#troubles.delete(namespace);
    else this.#troubles.set(namespace, trouble);
  }

  find(namespace: string, name: string): TemplateLookup {
    const entry = this.#entries.get(formatKey({ namespace, name }));
    if (entry !== undefined) {
      entry.lookup ??= compileMailTemplate(entry.object, this.#options);
      return entry.lookup;
    }
    const trouble = this.#troubles.get(namespace) ?? this.#troubles.get("");
    const unread = trouble === undefined ? "" : ` (NotificationTemplates cannot be read: ${trouble})`;
    const message = `NotificationTemplate "${name}" does not exist in namespace "${namespace}": create it, or name another in ephemeral.template${unread}`;
    return { reason: "TemplateNotFound", message, ...(trouble !== undefined && { isUnread: true }) };
  }
}

/** Compiles both parts; a part that does not parse is named with its line and column. */
export function compileMailTemplate(
  object: KubeObject,
  { allowSafeHtml = false }: TemplateOptions = {},
): TemplateLookup {
  const name = keyOf(object.metadata);
  const parsed = parseEmailTemplate(object);
  if ("problem" in parsed) {
    return { reason: "TemplateInvalid", message: `NotificationTemplate "${name}": ${formatProblem(parsed.problem)}` };
  }
  const { bodyType, dialect, language } = parsed;
  try {
    const template: MailTemplate = {
      bodyType,
      ...(language !== undefined && { language }),
      subject: compileTemplate(parsed.subject, { name: "subject", mode: "text", dialect, allowSafeHtml }),
      content: compileTemplate(parsed.content, {
        name: "content",
        mode: bodyType === "Html" ? "html" : "text",
        dialect,
        allowSafeHtml,
      }),
    };
    return { template };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { reason: "TemplateInvalid", message: `NotificationTemplate "${name}": ${error.message}` };
  }
}

function keyOf({ namespace = "", name = "" }: ObjectMeta): string {
  return formatKey({ namespace, name });
}
