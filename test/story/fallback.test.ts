/** A template that cannot be used does not keep the news for ever: a plain mail goes out instead. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENT } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { messageOf, type Platform, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";

const SPEC = {
  body: { labels: { name: "app", severity: "high" } },
  notifications: [subscriptionOf("ann@example.com")],
};
const BROKEN = templateOf("{{ index .labels.name 7 9 }}");

function impatient(name: string, spec: unknown): KubeObject {
  const message = messageOf(name, spec);
  return { ...message, metadata: { ...message.metadata, annotations: { "courier.io/fallback": "Immediately" } } };
}

async function warningsOf({ client }: Platform, name: string) {
  const found: unknown[][] = [];
  for await (const { items } of client.listPages(EVENT, { namespace: "cpaas-system" })) {
    const about = items.filter(({ regarding }) => (regarding as { name?: string }).name === name);
    found.push(...about.map(({ reason, type, note }) => [type, reason, note]));
  }
  return found;
}

test("a template that fails is answered at once with a plain mail where the message asks for it, and an Event says why", async (t) => {
  const platform = await startPlatform(t);
  await platform.apply(BROKEN);
  await platform.send(SPEC);
  await platform.logged("RenderFailed"); // courier-api has seen the template
  await platform.apply(impatient("now", SPEC));
  const [mail] = await platform.smtp.received(1);
  await platform.gone("now");
  assert.equal(mail?.parsed.subject, "Without its template: notification cpaas-system/now");
  assert.match(mail?.parsed.text ?? "", /Why: +RenderFailed: NotificationTemplate "cpaas-system\/change": content:1:4/);
  assert.match(mail?.parsed.text ?? "", /\n {2}name: app\n {2}severity: high\n/);
  assert.match(platform.logs.join(""), /"message":"fallback mail \(RenderFailed: .*"phase":"Done"/);
  const warnings = await warningsOf(platform, "now");
  assert.equal(warnings.length, 1);
  assert.deepEqual(warnings[0]?.slice(0, 2), ["Warning", "RenderFailed"]);
  assert.match(String(warnings[0]?.[2]), /^ann@example\.com: fallback mail \(RenderFailed: /);
});

test("a template that does not come is answered with a plain mail at the deadline", async (t) => {
  const platform = await startPlatform(t, { serve: { deadline: 3000 } });
  const name = await platform.send(SPEC);
  const [mail] = await platform.smtp.received(1);
  assert.match(mail?.parsed.text ?? "", /Why: +TemplateNotFound: NotificationTemplate "change" does not exist in/);
  await platform.gone(name);
  assert.equal(platform.smtp.mails.length, 1);
});

test("a fallback mail that is refused fails with the server's words and the template's", async (t) => {
  const platform = await startPlatform(t, { smtp: { recipient: () => "550 5.1.1 No such user" } });
  await platform.apply(BROKEN);
  await platform.send(SPEC);
  await platform.logged("RenderFailed");
  await platform.apply(impatient("refused", SPEC));
  const { conditions } = await platform.inPhase("refused", "Failed");
  assert.equal(conditions[0]?.reason, "RecipientRejected");
  assert.match(conditions[0]?.message ?? "", /^fallback mail \(RenderFailed: .*\): .*No such user/);
});
