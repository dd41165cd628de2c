import assert from "node:assert/strict";
import { test } from "node:test";
import { planDelivery } from "../../src/delivery/plan.ts";
import { parseNotificationMessage } from "../../src/resources/notification-message.ts";

function plan(spec: unknown) {
  const object = { apiVersion: "aitextensions.alauda.io/v1beta1", kind: "NotificationMessage", metadata: {}, spec };
  return planDelivery(parseNotificationMessage(object));
}

function subscription(fields: object = {}) {
  return {
    name: "ops",
    ephemeral: { methods: ["Email"], template: "change" },
    receivers: [{ destination: "ann@example.com" }],
    ...fields,
  };
}

test("the guide's message becomes one task", () => {
  const { tasks, refusals } = plan({ body: {}, notifications: [subscription()] });
  assert.deepEqual(refusals, []);
  const [{ contentHash = "" } = {}] = tasks;
  assert.match(contentHash, /^[0-9a-f]{16}$/);
  assert.deepEqual(tasks, [
    {
      contentHash,
      id: "ops/Email",
      notification: "ops",
      method: "Email",
      template: "change",
      recipients: ["ann@example.com"],
    },
  ]);
});

test("an address that stands twice gets one mail", () => {
  const receivers = [{ destination: "ann@example.com" }, { destination: " ann@example.com" }];
  assert.deepEqual(plan({ notifications: [subscription({ receivers })] }).tasks[0]?.recipients, ["ann@example.com"]);
});

test("subscriptions of the same name stay apart", () => {
  const ids = plan({ notifications: [subscription(), subscription()] }).tasks.map(({ id }) => id);
  assert.deepEqual(ids, ["ops/Email", "ops#2/Email"]);
});

test("subscriptions whose name looks like another's number stay apart", () => {
  const named = (name: string) => subscription({ name });
  const { tasks } = plan({ notifications: [named("a"), named("a"), named("a#2")] });
  assert.equal(new Set(tasks.map(({ id }) => id)).size, 3);
});

test("a message with more of anything than a status could hold is refused as a whole", () => {
  const receivers = Array.from({ length: 1001 }, (_, index) => ({ destination: `a${index}@example.com` }));
  for (const [notifications, told] of [
    [[subscription({ receivers })], /has 1001 receivers in all, and at most 1000 are taken: split it/],
    [Array.from({ length: 101 }, () => subscription()), /spec\.notifications has 101 entries, and at most 100/],
    [[subscription({ name: "x".repeat(1025) })], /notifications\[0\]\.name has 1025 characters/],
    [[subscription({ ephemeral: { methods: Array(11).fill("Sms"), template: "t" } })], /methods has 11 entries/],
  ] as const) {
    const { tasks, refusals } = plan({ notifications });
    assert.deepEqual(tasks, []);
    assert.equal(refusals.length, 1);
    assert.match(refusals[0]?.message ?? "", told);
  }
});

const refusals: [what: string, spec: unknown, reason: string, told: RegExp][] = [
  ["a spec that is a string", "x", "SubscriptionInvalid", /^spec must be an object and is a string$/],
  ["no spec", undefined, "SubscriptionInvalid", /^spec must be an object and is missing$/],
  ["empty notifications", { notifications: [] }, "SubscriptionInvalid", /^spec\.notifications is empty/],
  [
    "notifications that are no list",
    { notifications: {} },
    "SubscriptionInvalid",
    /^spec\.notifications must be a list/,
  ],
  [
    "a subscription that is null",
    { notifications: [null] },
    "SubscriptionInvalid",
    /notifications\[0\] must be an object/,
  ],
  [
    "an unknown method",
    { notifications: [subscription({ ephemeral: { methods: ["Pigeon"], template: "t" } })] },
    "MethodUnsupported",
    /ephemeral\.methods\[0\] is "Pigeon": this service delivers Email only/,
  ],
  [
    "no method",
    { notifications: [subscription({ ephemeral: { template: "t" } })] },
    "SubscriptionInvalid",
    /ephemeral\.methods is empty: add Email/,
  ],
  [
    "no template",
    { notifications: [subscription({ ephemeral: { methods: ["Email"] } })] },
    "SubscriptionInvalid",
    /ephemeral\.template is missing/,
  ],
  ["no receivers", { notifications: [subscription({ receivers: [] })] }, "NoRecipients", /receivers is empty/],
  [
    "a subscription by name",
    { notifications: [{ name: "platform" }] },
    "SubscriptionInvalid",
    /names the Notification "platform", and subscriptions by name are not resolved yet/,
  ],
  [
    "users",
    {
      notifications: [
        subscription({ ephemeral: { methods: ["Email"], template: "t", users: ["ann"] }, receivers: [] }),
      ],
    },
    "SubscriptionInvalid",
    /ephemeral\.users: users and groups are not resolved yet/,
  ],
  [
    "a template of the wrong type",
    { notifications: [subscription({ ephemeral: { methods: ["Email"], template: 7 } })] },
    "SubscriptionInvalid",
    /ephemeral\.template must be a string and is a number/,
  ],
];

for (const [what, spec, reason, told] of refusals) {
  test(`${what} ends in ${reason} with the field path`, () => {
    const { tasks, refusals: found } = plan(spec);
    assert.deepEqual(tasks, []);
    assert.deepEqual(
      found.map((refusal) => refusal.reason),
      [reason],
    );
    assert.match(found[0]?.message ?? "", told);
  });
}

const badDestinations: [what: string, destination: string][] = [
  ["no address", "not-an-address"],
  ["two addresses in one string", "ann@example.com, bob@example.com"],
  ["a line break", "ann@example.com\r\nBcc: eve@example.com"],
  ["a display name", "Ann <ann@example.com>"],
  ["300 characters", `${"a".repeat(290)}@example.com`],
];

for (const [what, destination] of badDestinations) {
  test(`a destination with ${what} is refused with its path, and the others get their mail`, () => {
    const receivers = [{ destination }, { destination: "ann@example.com" }];
    const { tasks, refusals: found } = plan({ notifications: [subscription({ receivers })] });
    assert.deepEqual(tasks[0]?.recipients, ["ann@example.com"]);
    assert.equal(found[0]?.reason, "RecipientRejected");
    assert.match(found[0]?.message ?? "", /^spec\.notifications\[0\]\.receivers\[0\]\.destination/);
    assert.ok((found[0]?.addresses[0] ?? "").length <= 81);
  });
}

test("an internationalised domain is mailed by its A-label", () => {
  const receivers = [{ destination: "ann@bücher.example" }];
  const { tasks } = plan({ notifications: [subscription({ receivers })] });
  assert.deepEqual(tasks[0]?.recipients, ["ann@xn--bcher-kva.example"]);
});

test("a wrong subscription does not keep the next one from its mail", () => {
  const { tasks, refusals: found } = plan({ notifications: [7, subscription()] });
  assert.equal(tasks.length, 1);
  assert.equal(found.length, 1);
});

test("a body nested beyond 64 levels is refused without overflowing the stack", () => {
  let body: unknown = "x";
  for (let depth = 0; depth < 50_000; depth++) body = { a: body };
  const { tasks, refusals: found } = plan({ body, notifications: [subscription()] });
  assert.deepEqual(tasks, []);
  assert.match(found[0]?.message ?? "", /^spec\.body is nested deeper than 64 levels/);
});
