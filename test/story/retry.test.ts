/** Failed messages are sent again, for those who did not get the mail alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "../../src/cli/wait-for.ts";
import { LEGACY_NOTIFICATION_MESSAGE, NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import { messageOf, type Platform, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";

const HELLO = templateOf("Hello {{ .labels.name }}");
const TWO = {
  body: { labels: { name: "two" } },
  notifications: [subscriptionOf("ann@example.com", "bob@example.com")],
};
const noBob = (address: string) => (address.startsWith("bob") ? "550 No such user here" : undefined);

function sentTo({ smtp }: Platform) {
  return smtp.mails.map(({ to }) => to);
}

/** Resolves when the message has failed once more, after `value` was asked for. */
function failedAfter({ client }: Platform, type: typeof NOTIFICATION_MESSAGE, name: string, value: string) {
  return waitFor(
    client,
    type,
    { namespace: "cpaas-system", fieldSelector: `metadata.name=${name}` },
    (event) => {
      if (event.type === "Synced") return undefined;
      const status = event.object["status"] as { phase?: string; observedRetry?: string } | undefined;
      return status?.phase === "Failed" && status.observedRetry === value ? event.object : undefined;
    },
    AbortSignal.timeout(15_000),
  );
}

for (const type of [NOTIFICATION_MESSAGE, LEGACY_NOTIFICATION_MESSAGE]) {
  test(`a retry asked for by annotation mails the failed recipient alone, once, under the same Message-ID (${type.group})`, async (t) => {
    const platform = await startPlatform(t, { smtp: { recipient: noBob } });
    const message = { ...messageOf("failed", TWO), apiVersion: `${type.group}/${type.version}` };
    await platform.apply(HELLO, message);
    const key = { namespace: "cpaas-system", name: "failed" };
    const annotate = (value: string) =>
      platform.client.mergePatch(type, key, { metadata: { annotations: { "courier.io/retry": value } } });
    await platform.smtp.received(1);
    await annotate("once");
    const { status } = await failedAfter(platform, type, "failed", "once");
    const { conditions, restartedAt } = status as { conditions: { retryTimes: number }[]; restartedAt: string };
    assert.deepEqual(
      conditions.map(({ retryTimes }) => retryTimes),
      [0, 1],
    );
    assert.ok(Math.abs(Date.parse(restartedAt) - Date.now()) < 60_000);
    assert.deepEqual(sentTo(platform), [["ann@example.com"]]);
    platform.smtp.script = {};
    await platform.client.mergePatch(type, key, { metadata: { labels: { touched: "yes" } } });
    await annotate("twice");
    const [first, second] = await platform.smtp.received(2);
    assert.deepEqual(second?.to, ["bob@example.com"]);
    assert.equal(second?.parsed.messageId, first?.parsed.messageId);
  });
}

test("a Failed message whose receiver is corrected mails the corrected one alone", async (t) => {
  const platform = await startPlatform(t, { smtp: { recipient: noBob } });
  await platform.apply(HELLO);
  const name = await platform.send(TWO);
  await platform.inPhase(name, "Failed");
  await platform.apply(
    messageOf(name, { ...TWO, notifications: [subscriptionOf("ann@example.com", "rob@example.com")] }),
  );
  await platform.gone(name);
  assert.deepEqual(sentTo(platform), [["ann@example.com"], ["rob@example.com"]]);
});

test("a Failed message whose body is edited is another mail, to everybody", async (t) => {
  const platform = await startPlatform(t, { smtp: { recipient: noBob } });
  await platform.apply(HELLO);
  const name = await platform.send(TWO);
  await platform.inPhase(name, "Failed");
  platform.smtp.script = {};
  await platform.apply(messageOf(name, { ...TWO, body: { labels: { name: "corrected" } } }));
  await platform.gone(name);
  assert.deepEqual(sentTo(platform), [["ann@example.com"], ["ann@example.com", "bob@example.com"]]);
  const [first, second] = platform.smtp.mails;
  assert.notEqual(first?.parsed.messageId, second?.parsed.messageId);
  assert.match(second?.parsed.text ?? "", /Hello corrected/);
});
