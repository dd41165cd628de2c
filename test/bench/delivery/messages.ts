/** The messages of the bench, and the template that they use. */
import { NOTIFICATION_MESSAGE } from "../../../src/resources/kinds.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { messageOf, subscriptionOf, templateOf } from "../../support/platform.ts";
import { type Api, inParallel } from "../api.ts";

const { group, version, plural } = NOTIFICATION_MESSAGE;
export const MESSAGES_PATH = `/apis/${group}/${version}/namespaces/cpaas-system/${plural}`;

const SUBJECT = "[Warning] Business ConfigMap {{ .labels.name }} updated";
const CONTENT = `<p>The watched ConfigMap was updated.</p>
<p>Namespace: {{ .labels.namespace }}<br>
Name: <b>{{ .labels.name }}</b><br>
Resource version: {{ .labels.resourceVersion }}<br>
Application: {{ .labels.application }}<br>
Owner: {{ .labels.owner }}<br>
Severity: {{ .labels.severity }}</p>`;

export const TEMPLATE = templateOf(CONTENT, SUBJECT, { "cpaas.io/template.email.body.type": "Html" });

/** A message as the guide's policy makes it, for a recipient of its own: by that its mail is known at the SMTP server. */
export function benchMessage(name: string): KubeObject {
  const labels = {
    namespace: "app-team-a",
    name,
    resourceVersion: "19377570",
    application: "payment",
    owner: "platform-ops",
    severity: "critical",
  };
  return messageOf(name, { body: { labels }, notifications: [subscriptionOf(addressOf(name))] });
}

export function addressOf(name: string): string {
  return `${name}@example.com`;
}

/** Creates so many messages, as fast as the API server takes them. */
export async function createMessages(api: Api, prefix: string, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`).values();
  await inParallel(names, 64, async (name) => void (await api.call("POST", MESSAGES_PATH, benchMessage(name))));
}
