/** The controller with its ports in memory: what must not happen even when a port misbehaves. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { AdmissionRules } from "../../src/delivery/admission.ts";
import { DeliveryController } from "../../src/delivery/controller.ts";
import type { Draft, RecipientOutcome } from "../../src/delivery/ports.ts";
import type { Reason } from "../../src/delivery/reasons.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { type MessageStatus, parseNotificationMessage } from "../../src/resources/notification-message.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { messageOf, subscriptionOf, templateOf } from "../support/platform.ts";

const GROUP = "aitextensions.alauda.io";
const SIGNAL = new AbortController().signal;

interface World {
  controller: DeliveryController;
  /** Whether this replica has the shards; tell the controller by `resettle`. */
  isOurs: boolean;
  stored: Map<string, KubeObject>;
  drafts: Draft[];
  events: string[];
  /** Names of messages whose status was written, in order. */
  written: string[];
  /** What the mail server makes of each mail; may throw. */
  answer: (draft: Draft) => Reason | Promise<Reason>;
  /** Called when a mail was begun, before it is asked whether it may be completed. */
  onBegin: () => void;
  /** Names the stretch of time for which all messages are this replica's. */
  tenure: symbol;
  /** Called before a status is taken; may throw. */
  onWrite: (name: string, status: MessageStatus) => void;
  /** Called before a message is deleted. */
  onRemove: (name: string) => void;
  /** Stores a message and tells the controller of it. */
  send(name: string, spec: unknown, meta?: object): Promise<KubeObject>;
  /** Resolves when nothing is queued or in hand. */
  settled(): Promise<void>;
  reasons(name: string): (string | undefined)[];
}

function startWorld(t: TestContext, rules: Partial<AdmissionRules> = {}): World {
  let version = 0;
  const stored = new Map<string, KubeObject>();
  const stopping = new AbortController();
  const world: World = {
    isOurs: true,
    stored,
    drafts: [],
    events: [],
    written: [],
    answer: () => "Delivered",
    onBegin: () => {},
    tenure: Symbol(),
    onWrite: () => {},
    onRemove: () => {},
    async send(name, spec, meta = {}) {
      const plain = messageOf(name, spec);
      version += 1;
      const own = { uid: `uid-${version}`, resourceVersion: `${version}`, generation: 1 };
      const object = { ...plain, metadata: { ...plain.metadata, ...own, ...meta } };
      stored.set(name, object);
      await world.controller.offer(GROUP, object, "event", SIGNAL);
      return object;
    },
    async settled() {
      for (let idle = 0; idle < 5; ) {
        await new Promise((resolve) => setImmediate(resolve));
        const { queued, active } = world.controller.load;
        idle = queued + active === 0 ? idle + 1 : 0;
      }
    },
    reasons(name) {
      const object = stored.get(name);
      return object ? parseNotificationMessage(object).conditions.map(({ reason }) => reason) : ["gone"];
    },
    controller: new DeliveryController(
      {
        messages: {
          get: async ({ name }) => stored.get(name),
          async writeStatus({ name }, resourceVersion, status) {
            world.onWrite(name, status as MessageStatus);
            const object = stored.get(name);
            if (object === undefined) return "gone";
            if (object.metadata.resourceVersion !== resourceVersion) return "conflict";
            version += 1;
            stored.set(name, { ...object, metadata: { ...object.metadata, resourceVersion: `${version}` }, status });
            world.written.push(name);
            return { resourceVersion: `${version}` };
          },
          version: async () => `${version}`,
          async remove({ name }, resourceVersion) {
            world.onRemove(name);
            if (stored.get(name)?.metadata.resourceVersion !== resourceVersion) return "conflict";
            stored.delete(name);
            return "removed";
          },
        },
        events: { record: async (_message, { reason }) => void world.events.push(reason) },
        mailer: {
          async send(draft, _server, permit): Promise<RecipientOutcome[]> {
            world.onBegin();
            permit();
            world.drafts.push(draft);
            const reason = await world.answer(draft);
            return draft.to.map((address) => ({ address, reason, message: `${reason}.` }));
          },
        },
        logger: createLogger({ format: "json", level: "info", destination: { write: () => {} } }),
        now: () => Date.now(),
        shards: { takes: () => world.isOurs, tenureOf: () => (world.isOurs ? world.tenure : undefined), share: 1 },
        observe: { received: () => {}, attempted: () => {}, stopped: () => {}, finished: () => {} },
      },
      { workers: 4, deadlineMs: 3_600_000, failedRetentionMs: 3_600_000, allowedRecipientDomains: [], ...rules },
    ),
  };
  world.controller.setServer({ server: { from: { address: "user@example.com" }, version: "1" } });
  world.controller.setTemplate(versioned(templateOf("Hello"), "1"));
  const done = world.controller.run(stopping.signal, stopping.signal);
  t.after(() => {
    stopping.abort(new Error("the test is over"));
    return done;
  });
  return world;
}

function versioned(object: KubeObject, resourceVersion: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}

const GOOD = { notifications: [subscriptionOf("ann@example.com")] };
const tooLarge = Object.assign(new Error("etcdserver: request is too large"), { code: 500 });

for (const [what, refusal] of [
  ["invalid", Object.assign(new Error("status is invalid"), { code: 422 })],
  ["too large", tooLarge],
] as const) {
  test(`a status that the API server finds ${what} ends its message alone, with a status that says so`, async (t) => {
    const world = startWorld(t);
    world.answer = ({ to }) => (to[0] === "bad@example.com" ? "RecipientRejected" : "Delivered");
    world.onWrite = (name, { summary }) => {
      if (name === "poison" && summary.reason === "RecipientRejected") throw refusal;
    };
    await world.send("poison", { notifications: [subscriptionOf("bad@example.com")] });
    await world.send("good", GOOD);
    await world.settled();
    assert.deepEqual(world.reasons("good"), ["gone"]);
    assert.deepEqual(world.reasons("poison"), ["SubscriptionInvalid"]);
    assert.equal(world.controller.load.failed, 1);
  });
}

test("a mail that was begun before its message was lost is not completed after the message has come back", async (t) => {
  const world = startWorld(t);
  world.onBegin = () => {
    if (world.stored.has("shared")) world.tenure = Symbol();
    world.stored.delete("shared"); // another replica had it, sent its mail and consumed it
  };
  await world.send("shared", GOOD);
  await world.settled();
  assert.deepEqual(world.drafts, []);
});

test("what another replica has recorded as delivered stays so, whatever became of the mail that this one had begun", async (t) => {
  const world = startWorld(t);
  const condition = { method: "Email", type: "Ready", uid: `${subscriptionOf().name}/Email` };
  const delivered = { ...condition, addresses: ["ann@example.com"], status: "True", reason: "Delivered" };
  const refused = { ...condition, addresses: ["bob@example.com"], status: "False", reason: "RecipientRejected" };
  world.answer = () => {
    const object = world.stored.get("shared") as KubeObject;
    const status = { phase: "Failed", conditions: [delivered, refused] };
    if (world.drafts.length === 1) world.stored.set("shared", versioned({ ...object, status }, "another's"));
    return "OutcomeUnknown";
  };
  await world.send("shared", { notifications: [subscriptionOf("ann@example.com", "bob@example.com")] });
  await world.settled();
  assert.deepEqual(world.reasons("shared"), ["Delivered", "RecipientRejected"]);
  assert.equal(world.controller.load.failed, 1);
  assert.equal(world.drafts.length, 1);
});

test("a message that was delivered is deleted even where its status is refused", async (t) => {
  const world = startWorld(t);
  world.onWrite = () => {
    throw tooLarge;
  };
  await world.send("good", GOOD);
  await world.settled();
  assert.deepEqual(world.reasons("good"), ["gone"]);
});

test("a bug in one task does not send the mails of the others again", async (t) => {
  const world = startWorld(t);
  world.answer = ({ taskId }) => {
    if (taskId.startsWith("second/Email")) throw new TypeError("x is not a function");
    return "Delivered";
  };
  const second = { ...subscriptionOf("bob@example.com"), name: "second" };
  await world.send("mixed", { notifications: [subscriptionOf("ann@example.com"), second] });
  await world.settled();
  assert.deepEqual(world.reasons("mixed"), ["Delivered", "TemporaryFailure"]);
  world.answer = () => "Delivered";
  world.controller.setServer({ server: { from: { address: "user@example.com" }, version: "2" } });
  const { status: _, ...object } = world.stored.get("mixed") ?? assert.fail();
  const next = { ...object, status: world.stored.get("mixed")?.status };
  await world.controller.offer(GROUP, { ...next, metadata: { ...next.metadata, generation: 2 } }, "event", SIGNAL);
  await world.settled();
  assert.deepEqual(
    world.drafts.map(({ to }) => to[0]),
    ["ann@example.com", "bob@example.com", "bob@example.com"],
  );
});

test("a message created again under the same name is another message, even where no deletion was seen", async (t) => {
  const world = startWorld(t);
  await world.send("again", GOOD);
  await world.settled();
  await world.send("again", GOOD);
  await world.settled();
  assert.equal(world.drafts.length, 2);
  assert.deepEqual(world.reasons("again"), ["gone"]);
});

/** `object` as it is after bob was added to its one recipient. */
function withBob(object: KubeObject): KubeObject {
  const spec = { notifications: [subscriptionOf("ann@example.com", "bob@example.com")] };
  return { ...object, spec, metadata: { ...object.metadata, generation: 2, resourceVersion: "1000" } };
}

test("a recipient who is added while the mail is under way gets it too", async (t) => {
  const world = startWorld(t);
  world.answer = async ({ to }): Promise<Reason> => {
    const object = world.stored.get("edited") ?? assert.fail();
    if (to.includes("ann@example.com")) {
      const edited = withBob(object);
      world.stored.set("edited", edited);
      await world.controller.offer(GROUP, edited, "event", SIGNAL);
    }
    return "Delivered";
  };
  await world.send("edited", GOOD);
  await world.settled();
  assert.deepEqual(
    world.drafts.map(({ to }) => to),
    [["ann@example.com"], ["bob@example.com"]],
  );
  assert.deepEqual(world.reasons("edited"), ["gone"]);
});

test("a status that did not change is not written again, and no Event is repeated", async (t) => {
  const world = startWorld(t);
  world.controller.setTemplate(versioned(templateOf("{{ if }}"), "2"));
  await world.send("waiting", GOOD);
  await world.settled();
  assert.deepEqual(world.reasons("waiting"), ["TemplateInvalid"]);
  world.controller.setTemplate(versioned(templateOf("{{ if }}"), "3"));
  await world.settled();
  assert.deepEqual(world.written, ["waiting"]);
  assert.deepEqual(world.events, ["TemplateInvalid"]);
  assert.deepEqual([...world.controller.load.waiting], [["TemplateInvalid", 1]]);
});

test("a task that was never begun has no retries in its status", async (t) => {
  const world = startWorld(t);
  world.controller.setTemplate(versioned(templateOf("{{ if }}"), "2"));
  const { metadata } = await world.send("waiting", GOOD);
  await world.settled();
  world.controller.setTemplate(versioned(templateOf("Hello"), "3"));
  world.answer = () => "TemporaryFailure";
  await world.settled();
  const [condition] = parseNotificationMessage(world.stored.get("waiting") ?? assert.fail()).conditions;
  assert.equal(condition?.retryTimes, 0, metadata.name);
});

test("a mail that the server never saw does not let everybody knock at a server that is away", async (t) => {
  t.mock.timers.enable({ apis: ["Date", "setTimeout"], now: Date.now() });
  const world = startWorld(t);
  world.answer = () => "ServerUnavailable";
  for (const name of ["a", "b", "c"]) await world.send(name, GOOD);
  await world.settled();
  assert.deepEqual([...world.controller.load.waiting], [["ServerUnavailable", 3]]);
  const before = world.drafts.length;
  world.answer = () => (world.drafts.length === before + 1 ? "MailRejected" : "ServerUnavailable");
  t.mock.timers.tick(1100);
  await world.settled();
  t.mock.timers.tick(1);
  await world.settled();
  assert.equal(world.drafts.length, before + 2, "one that could not be composed, and one probe after it");
});

test("a message that is withdrawn while it is worked on is forgotten", async (t) => {
  const world = startWorld(t);
  const held = Promise.withResolvers<Reason>();
  world.answer = () => held.promise;
  const object = await world.send("withdrawn", GOOD);
  await new Promise((resolve) => setImmediate(resolve));
  world.controller.withdraw(GROUP, object.metadata);
  held.resolve("TemporaryFailure");
  await world.settled();
  assert.equal(world.controller.load.oldestPendingMs, undefined);
  assert.equal(world.controller.load.waiting.size, 0);
});

test("20,000 destinations that are no address make a status of one line", async (t) => {
  const world = startWorld(t);
  const destinations = Array.from({ length: 20_000 }, (_, index) => `nobody-${index}`);
  await world.send("flood", { notifications: [subscriptionOf(...destinations)] });
  await world.settled();
  assert.deepEqual(world.reasons("flood"), ["SubscriptionInvalid"]);
  assert.ok(JSON.stringify(world.stored.get("flood")?.status).length < 2000);
  assert.deepEqual(world.events, ["SubscriptionInvalid"]);
});

const oneMail = { recipientRate: { count: 1, periodMs: 3_600_000 } };

test("the mail beyond a recipient's limit is Suppressed without a mail begun, and the others get theirs", async (t) => {
  const world = startWorld(t, oneMail);
  await world.send("first", GOOD);
  await world.settled();
  await world.send("second", { notifications: [subscriptionOf("ann@example.com", "bob@example.com")] });
  await world.settled();
  assert.deepEqual(
    world.drafts.map(({ to }) => to),
    [["ann@example.com"], ["bob@example.com"]],
  );
  assert.deepEqual(world.reasons("second"), ["Suppressed", "Delivered"]);
  assert.deepEqual(world.events, ["Suppressed"]);
});

test("a mail that is tried again after a temporary failure is counted once", async (t) => {
  t.mock.timers.enable({ apis: ["Date", "setTimeout"], now: Date.now() });
  const world = startWorld(t, oneMail);
  world.answer = () => (world.drafts.length < 4 ? "TemporaryFailure" : "Delivered");
  await world.send("retried", GOOD);
  for (let tries = 0; tries < 4; tries += 1) {
    await world.settled();
    t.mock.timers.tick(10_000);
  }
  await world.settled();
  assert.equal(world.drafts.length, 4);
  assert.deepEqual(world.reasons("retried"), ["gone"]);
});

test("mails that a server which is away did not take leave the limit as it was", async (t) => {
  t.mock.timers.enable({ apis: ["Date", "setTimeout"], now: Date.now() });
  const world = startWorld(t, { namespaceRate: { count: 2, periodMs: 3_600_000 } });
  world.answer = () => "ServerUnavailable";
  await world.send("a", GOOD);
  await world.send("b", GOOD);
  for (let tries = 0; tries < 5; tries += 1) {
    await world.settled();
    t.mock.timers.tick(60_000);
  }
  world.answer = () => "Delivered";
  t.mock.timers.tick(60_000);
  await world.settled();
  await world.send("c", GOOD);
  await world.settled();
  assert.deepEqual(["a", "b", "c"].map(world.reasons), [["gone"], ["gone"], ["Suppressed"]]);
});

test("a recipient in a domain that is not allowed is Suppressed even where the template is broken", async (t) => {
  const world = startWorld(t, { allowedRecipientDomains: ["example.com"] });
  world.controller.setTemplate(versioned(templateOf("{{ if }}"), "2"));
  await world.send("mixed", { notifications: [subscriptionOf("ann@example.com", "eve@example.net")] });
  await world.settled();
  assert.deepEqual(world.reasons("mixed"), ["TemplateInvalid", "Suppressed"]);
  assert.deepEqual(world.drafts, []);
});

test("a receiver who is added between the status Done and the deletion gets the mail", async (t) => {
  const world = startWorld(t);
  world.onRemove = (name) => {
    world.onRemove = () => {};
    const object = world.stored.get(name) ?? assert.fail();
    const edited = withBob(object);
    world.stored.set(name, edited);
    void world.controller.offer(GROUP, edited, "event", SIGNAL);
  };
  await world.send("edited", GOOD);
  await world.settled();
  assert.deepEqual(
    world.drafts.map(({ to }) => to),
    [["ann@example.com"], ["bob@example.com"]],
  );
  assert.deepEqual(world.reasons("edited"), ["gone"]);
});

test("a message that is merely labelled before its deletion is deleted all the same, without another mail", async (t) => {
  t.mock.timers.enable({ apis: ["Date", "setTimeout"], now: Date.now() });
  const world = startWorld(t);
  world.onRemove = (name) => {
    world.onRemove = () => {};
    const object = world.stored.get(name) ?? assert.fail();
    world.stored.set(name, { ...object, metadata: { ...object.metadata, resourceVersion: "1000" } });
  };
  await world.send("labelled", GOOD);
  await world.settled();
  t.mock.timers.tick(300);
  await world.settled();
  assert.equal(world.drafts.length, 1);
  assert.deepEqual(world.reasons("labelled"), ["gone"]);
});

test("a retry that was followed is not followed again by another replica, and its deadline and retention count from it", async (t) => {
  t.mock.timers.enable({ apis: ["Date", "setTimeout"], now: Date.parse("2026-11-22T10:00:00Z") });
  const world = startWorld(t);
  world.answer = () => "RecipientRejected";
  const creationTimestamp = "2026-11-22T09:30:00Z";
  await world.send("failed", GOOD, { creationTimestamp });
  await world.settled();
  t.mock.timers.tick(45 * 60_000); // of the deadline's hour, five quarters are over
  const object = world.stored.get("failed") ?? assert.fail();
  const asked = { ...object, metadata: { ...object.metadata, annotations: { "courier.io/retry": "1" } } };
  world.stored.set("failed", asked);
  world.answer = () => "TemporaryFailure";
  await world.controller.offer(GROUP, asked, "event", SIGNAL);
  await world.settled();
  assert.deepEqual(world.reasons("failed"), ["TemporaryFailure"]);

  const other = startWorld(t);
  other.answer = () => "RecipientRejected";
  const waiting = world.stored.get("failed") ?? assert.fail();
  other.stored.set("failed", waiting);
  await other.controller.offer(GROUP, waiting, "event", SIGNAL);
  await other.settled();
  assert.deepEqual(other.reasons("failed"), ["RecipientRejected"]);
  t.mock.timers.tick(30 * 60_000); // past the retention of the first failure
  await other.settled();
  assert.equal(other.drafts.length, 1);
  assert.deepEqual(other.reasons("failed"), ["RecipientRejected"]);
});

test("a broken template is waited for until the last part of the deadline, in which its fallback may be greylisted", async (t) => {
  t.mock.timers.enable({ apis: ["Date", "setTimeout"], now: Date.parse("2026-11-22T10:00:00Z") });
  const world = startWorld(t);
  world.controller.setTemplate(versioned(templateOf("{{ if }}"), "2"));
  await world.send("waiting", GOOD, { creationTimestamp: "2026-11-22T10:00:00Z" });
  await world.settled();
  t.mock.timers.tick(57 * 60_000); // of 60, the last 2.5 are for the fallback
  await world.settled();
  assert.equal(world.drafts.length, 0);
  world.answer = () => (world.drafts.length === 1 ? "TemporaryFailure" : "Delivered");
  t.mock.timers.tick(60_000);
  await world.settled();
  assert.deepEqual(world.reasons("waiting"), ["TemporaryFailure"]);
  t.mock.timers.tick(10_000);
  await world.settled();
  assert.deepEqual(world.reasons("waiting"), ["gone"]);
  const [first, second] = world.drafts;
  assert.equal(second?.taskId, first?.taskId);
  assert.match(second?.body ?? "", /TemplateInvalid/);
  assert.deepEqual(world.events, ["TemplateInvalid", "TemporaryFailure", "TemplateInvalid"]);
});

test("a mail server that is away until the deadline is no reason for a fallback mail", async (t) => {
  t.mock.timers.enable({ apis: ["Date", "setTimeout"], now: Date.parse("2026-11-22T10:00:00Z") });
  const world = startWorld(t);
  world.answer = () => "ServerUnavailable";
  await world.send("waiting", GOOD, { creationTimestamp: "2026-11-22T10:00:00Z" });
  for (let minutes = 0; minutes < 61; minutes += 1) {
    await world.settled();
    t.mock.timers.tick(60_000);
  }
  await world.settled();
  assert.deepEqual(world.reasons("waiting"), ["DeadlineExceeded"]);
  assert.ok(world.drafts.every(({ body }) => body === "Hello"));
});

test("a message that came with its shard is read afresh, and what the former owner has done is not done again", async (t) => {
  const world = startWorld(t);
  world.isOurs = false;
  const stale = await world.send("sent", GOOD);
  await world.send("waiting", GOOD);
  const status = { phase: "Done", conditions: [] };
  world.stored.set("sent", { ...stale, metadata: { ...stale.metadata, resourceVersion: "50" }, status });
  await world.settled();
  assert.deepEqual([world.drafts.length, world.controller.load.oldestPendingMs], [0, undefined]);
  world.isOurs = true;
  world.controller.resettle(true, SIGNAL);
  await world.settled();
  assert.deepEqual(
    world.drafts.map(({ message }) => message.name),
    ["waiting"],
  );
  assert.deepEqual([world.reasons("sent"), world.reasons("waiting")], [["gone"], ["gone"]]);
});

test("a message of another replica's is known by its metadata, and is worked on when its shard comes", async (t) => {
  const world = startWorld(t);
  world.isOurs = false;
  const object = await world.send("theirs", GOOD);
  world.controller.withdraw(GROUP, object.metadata);
  assert.equal(world.controller.glance(GROUP, object.metadata), true);
  world.isOurs = true;
  world.controller.resettle(true, SIGNAL);
  await world.settled();
  assert.deepEqual(world.reasons("theirs"), ["gone"]);
});

test("its metadata is not enough of a message that asks for something, and is of one that asks for nothing new", async (t) => {
  const world = startWorld(t);
  world.answer = () => "RecipientRejected";
  const plain = messageOf("mine", GOOD);
  const object = { ...plain, metadata: { ...plain.metadata, uid: "1", generation: 1 } };
  const glance = (changes: object) => world.controller.glance(GROUP, { ...object.metadata, ...changes });
  assert.equal(glance({}), false, "it is new, and this replica's");
  await world.controller.offer(GROUP, object, "event", SIGNAL);
  assert.equal(glance({ resourceVersion: "9" }), true, "a status was written, or a label");
  assert.equal(glance({ generation: 2 }), false, "its spec was changed");
  assert.equal(glance({ annotations: { "courier.io/retry": "1" } }), false, "it is to be sent again");
  assert.equal(glance({ uid: "2" }), false, "it is another one of the same name");
});

test("an event that is older than the shard's coming is not believed", async (t) => {
  const world = startWorld(t);
  world.isOurs = false;
  world.controller.resettle(false, SIGNAL);
  world.isOurs = true;
  world.controller.resettle(true, SIGNAL); // the messages are at version 0 then
  await world.settled();
  const sent = messageOf("sent", GOOD); // gone again before its creation's event comes
  const metadata = { ...sent.metadata, uid: "uid-sent", resourceVersion: "0", generation: 1 };
  await world.controller.offer(GROUP, { ...sent, metadata }, "event", SIGNAL);
  await world.settled();
  assert.equal(world.drafts.length, 0);
  await world.send("new", GOOD);
  await world.settled();
  assert.deepEqual(
    world.drafts.map(({ message }) => message.name),
    ["new"],
  );
});

test("a message that is lost between two of its mails has the first recorded and the second not begun", async (t) => {
  const world = startWorld(t);
  world.answer = () => {
    world.isOurs = false;
    return "Delivered";
  };
  const second = { ...subscriptionOf("bob@example.com"), name: "second" };
  await world.send("two", { notifications: [subscriptionOf("ann@example.com"), second] });
  await world.settled();
  assert.deepEqual(
    world.drafts.map(({ to }) => to),
    [["ann@example.com"]],
  );
  assert.deepEqual(world.written, ["two"]);
  assert.equal(world.reasons("two")[0], "Delivered");
  world.controller.resettle(false, SIGNAL);
  assert.equal(world.controller.load.waiting.size, 0);
  world.isOurs = true;
  world.answer = () => "Delivered";
  world.controller.resettle(true, SIGNAL);
  await world.settled();
  assert.deepEqual(
    world.drafts.map(({ to }) => to),
    [["ann@example.com"], ["bob@example.com"]],
  );
  assert.deepEqual(world.reasons("two"), ["gone"]);
});

test("a shard is idle when nothing of it is in hand, and not before", async (t) => {
  const world = startWorld(t);
  const answer = Promise.withResolvers<Reason>();
  world.answer = () => answer.promise;
  await world.send("slow", GOOD);
  while (world.drafts.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const told: string[] = [];
  const idle = world.controller.idle(() => true).then(() => told.push("all"));
  await world.controller.idle(() => false).then(() => told.push("another shard"));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told, ["another shard"]);
  answer.resolve("Delivered");
  await idle;
  assert.deepEqual([world.written, world.reasons("slow")], [["slow"], ["gone"]]);
});
