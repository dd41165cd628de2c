/** Templates and bodies that cost more than they look: each ends in a status, and the next message is not held up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import { messageOf, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";

const GOOD = templateOf("Hello");
const NAMED = (name: string, content: string) => ({ ...templateOf(content), metadata: { ...GOOD.metadata, name } });

function toTemplate(template: string) {
  const subscription = subscriptionOf("ann@example.com");
  return { ...subscription, ephemeral: { ...subscription.ephemeral, template } };
}

test("bombs in templates end as TemplateInvalid or RenderFailed, and a good message arrives among them", async (t) => {
  const platform = await startPlatform(t);
  const bombs = {
    doubling: '{{ $x := "0123456789" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}{{ $x }}',
    loops: "{{ range 100000 }}{{ range 100000 }}x{{ end }}{{ end }}",
    recursion: '{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}',
    width: '{{ range 100000 }}{{ printf "%900000d" 1 }}{{ end }}',
    nesting: `${"{{ if . }}".repeat(8000)}x${"{{ end }}".repeat(8000)}`,
    prototype: "{{ .constructor.constructor.call }}{{ .__proto__.polluted.x }}",
  };
  await platform.apply(GOOD, ...Object.entries(bombs).map(([name, content]) => NAMED(name, content)));
  const body = { labels: { name: "x" } };
  const names = await Promise.all(
    Object.keys(bombs).map((name) => platform.send({ body, notifications: [toTemplate(name)] })),
  );
  await platform.gone(await platform.send({ body, notifications: [subscriptionOf("ann@example.com")] }));
  for (const [index, name] of names.entries()) {
    const bomb = Object.keys(bombs)[index];
    if (bomb === "prototype") {
      await platform.ended(name); // what a name of a prototype finds in the data is nothing
      continue;
    }
    const { conditions } = await platform.inPhase(name, "Processing", /^(TemplateInvalid|RenderFailed)/);
    assert.ok((conditions[0]?.message ?? "").length <= 500, bomb);
  }
});

test("bodies that are deep, wide or large are refused or delivered, and a good message arrives among them", async (t) => {
  const platform = await startPlatform(t);
  await platform.apply(GOOD, NAMED("all", "{{ range .rows }}{{ . }}{{ end }}{{ .text }}"));
  const deep = JSON.parse(`${'{"a":'.repeat(200)}1${"}".repeat(200)}`) as object;
  const wide = { rows: Array.from({ length: 150_000 }, (_, index) => index % 10) };
  const large = { text: "<&>".repeat(300_000) };
  const bodies = { deep, wide, large };
  for (const [name, body] of Object.entries(bodies)) {
    await platform.client.create(NOTIFICATION_MESSAGE, messageOf(name, { body, notifications: [toTemplate("all")] }));
  }
  await platform.gone(await platform.send({ body: {}, notifications: [subscriptionOf("ann@example.com")] }));
  const [told] = await Promise.all([
    platform.inPhase("deep", "Failed"),
    platform.inPhase("wide", "Processing", /^RenderFailed/),
  ]);
  assert.match(told.conditions[0]?.message ?? "", /spec\.body is nested deeper than 64 levels/);
  await platform.ended("large");
});
