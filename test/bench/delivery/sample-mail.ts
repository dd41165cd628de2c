/** One of courier's own mails, taken apart, so that the bare loops send the same bytes' worth of the same headers. */
import { simpleParser } from "mailparser";
import { planDelivery } from "../../../src/delivery/plan.ts";
import { renderTask } from "../../../src/delivery/render.ts";
import { TemplateStore } from "../../../src/delivery/templates.ts";
import { composeMail } from "../../../src/mail/compose.ts";
import { parseNotificationMessage } from "../../../src/resources/notification-message.ts";
import { addressOf, benchMessage, TEMPLATE } from "./messages.ts";

export const SENDER = "user@example.com";
/** Stands in the sample for the name of a message. */
const NAME = "sample-name";

export interface SampleMail {
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
  /** The whole mail, lines ended by CRLF. */
  raw: string;
}

/** The mail for the message `name`; the same text with another name in it each time. */
export function mailFor(sample: SampleMail, name: string): SampleMail {
  const fill = (text: string) => text.replaceAll(NAME, name);
  const { subject, text, html, headers, raw } = sample;
  return { subject: fill(subject), text: fill(text), html: fill(html), headers, raw: fill(raw) };
}

export async function composeSample(): Promise<SampleMail> {
  const message = parseNotificationMessage(benchMessage(NAME));
  const templates = new TemplateStore({ allowSafeHtml: false });
  templates.set({ ...TEMPLATE, metadata: { ...TEMPLATE.metadata, resourceVersion: "1" } });
  const [task] = planDelivery(message).tasks;
  const found = templates.find("cpaas-system", "change");
  if (task === undefined || "reason" in found) throw new Error("the bench's message or template is wrong");
  const rendered = renderTask(found.template, "cpaas-system/change", message.body);
  if ("reason" in rendered) throw new Error(rendered.message);
  const draft = {
    message: { uid: "5bd6b4a3-5a4e-4a0c-9f0e-2f6f3a1f0c11", namespace: "cpaas-system", name: NAME },
    taskId: task.id,
    to: [addressOf(NAME)],
    ...rendered,
  };
  const sender = { from: { address: SENDER, name: "" }, displayNames: { en: "", zh: "" } };
  const raw = composeMail(draft, sender, new Date()).content.toString();
  const { subject = "", text = "", html } = await simpleParser(raw);
  const headers = {
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
  };
  return { subject, text, html: html || "", headers, raw };
}
