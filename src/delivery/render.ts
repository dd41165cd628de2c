/** Second stage, called by reconcile.ts: task + template + body → subject and body. Pure. Send comes next. */
import { TemplateError } from "../template/index.ts";
import type { MailTemplate } from "./templates.ts";

export interface Rendered {
  subject: string;
  body: string;
  bodyType: "Html" | "Text";
  language?: string;
}

/** What the template makes of `spec.body`, or why it makes nothing: template, part, line and column. */
export function renderTask(
  template: MailTemplate,
  templateName: string,
  body: unknown,
): Rendered | { reason: "RenderFailed"; message: string } {
  try {
    const subject = template.subject.render(body);
    const content = template.content.render(body);
    const { bodyType, language } = template;
    return { subject, body: content, bodyType, ...(language !== undefined && { language }) };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { reason: "RenderFailed", message: `NotificationTemplate "${templateName}": ${error.message}` };
  }
}
