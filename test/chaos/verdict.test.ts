/** The suite's own judgement, on ledgers written by hand: what it lets pass, and what it notices. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger } from "./ledger.ts";
import { makeSamples, type Sample } from "./messages.ts";
import { Random } from "./random.ts";
import type { DotAnswer } from "./smtp-script.ts";
import { judge } from "./verdict.ts";

const PHASE = "kill";
const IN_HAND = 2;

interface Story {
  ledger: Ledger;
  /** A whole transaction for the message's recipient, begun at `at`. */
  mail(answer: DotAnswer, at: number, more?: { client?: string; messageId?: string; code?: number }): void;
  /** The message's status as the watch shows it; deleted where there is no phase. */
  status(phase: string, reason: string, at: number): void;
  deleted(at: number): void;
  violations(): string[];
}

const SAMPLE: Sample = {
  name: "m",
  phase: PHASE,
  tasks: [["ann@chaos.example"]],
  invalid: [],
  object: { apiVersion: "v1", kind: "NotificationMessage", metadata: { name: "m" } },
};

function story(sample: Sample = SAMPLE): Story {
  const ledger = new Ledger();
  ledger.phase = PHASE;
  ledger.create(sample);
  const [address = "nobody"] = sample.tasks.flat();
  let object = sample.object;
  let id = 0;
  return {
    ledger,
    mail(answer, at, { client = "replica-1.1", messageId = "a@chaos.example", code } = {}) {
      id += 1;
      ledger.smtp({ type: "begin", id, client, at });
      ledger.smtp({ type: "recipient", id, address, at });
      ledger.smtp({ type: "dot", id, messageId, answer, at: at + 1, ...(code !== undefined && { code }) });
    },
    status(phase, reason, at) {
      object = { ...object, status: { phase, conditions: [{ addresses: [address], reason }] } };
      ledger.saw(object, at);
    },
    deleted: (at) => ledger.gone(sample.name, object, at),
    violations: () => judge(ledger, PHASE, IN_HAND).violations,
  };
}

function killed(client: string, from: number) {
  const never = Number.POSITIVE_INFINITY;
  return { phase: PHASE, what: `kill -9 ${client}`, clients: [client], from, curedFrom: never, until: never };
}

test("a mail that was sent, recorded and consumed is as it must be", () => {
  const { mail, status, deleted, violations } = story();
  mail("accepted", 10);
  status("Done", "Delivered", 12);
  deleted(13);
  assert.deepEqual(violations(), []);
});

test("a message that goes without its mail is lost", () => {
  const { status, deleted, violations } = story();
  status("Done", "Delivered", 12);
  deleted(13);
  assert.deepEqual(violations(), ["m: was deleted, and ann@chaos.example never got its mail"]);
});

test("a message that goes before its status is written is noticed", () => {
  const { mail, deleted, violations } = story();
  mail("accepted", 10);
  deleted(13);
  assert.deepEqual(violations(), ['m: was deleted in phase "", before it was recorded as Done']);
});

test("a message without an end is told with what it waits for", () => {
  const { mail, status, violations } = story();
  mail("refused", 10, { code: 451 });
  status("Processing", "TemporaryFailure", 12);
  assert.deepEqual(violations(), ["m: has no end, and waits for TemporaryFailure"]);
});

test("a repeat is allowed for a mail in flight when its replica was killed, and counted", () => {
  const { ledger, mail, status, deleted } = story();
  mail("accepted", 10);
  ledger.disturb(killed("replica-1.1", 11));
  mail("accepted", 20, { client: "replica-2.1" });
  status("Done", "Delivered", 22);
  deleted(23);
  const { violations, repeats, allowed, disturbances } = judge(ledger, PHASE, IN_HAND);
  assert.deepEqual({ violations, repeats, allowed }, { violations: [], repeats: 1, allowed: 1 });
  assert.deepEqual(disturbances, [{ what: "kill -9 replica-1.1", inFlight: 1, repeated: 1 }]);
});

test("a repeat after another replica's death is not allowed", () => {
  const { ledger, mail, status, deleted, violations } = story();
  mail("accepted", 10);
  ledger.disturb(killed("replica-3.1", 11));
  mail("accepted", 20, { client: "replica-2.1" });
  status("Done", "Delivered", 22);
  deleted(23);
  assert.deepEqual(violations(), [
    "ann@chaos.example: sent 2 times, 2 of them without a fault in between (by replica-1.1, replica-2.1)",
  ]);
});

test("a repeat of a mail that was recorded before the kill is not allowed", () => {
  const { ledger, mail, status, deleted, violations } = story();
  mail("accepted", 10);
  status("Done", "Delivered", 12);
  ledger.disturb(killed("replica-1.1", 14));
  mail("accepted", 20, { client: "replica-2.1" });
  deleted(23);
  assert.deepEqual(violations(), ["ann@chaos.example: sent again by replica-2.1 8 ms after its delivery was recorded"]);
});

test("a mail that a replica sent while it was cut from the API server may be sent again by another", () => {
  const { ledger, mail, status, deleted, violations } = story();
  ledger.disturb({ phase: PHASE, what: "cut", clients: ["replica-1.1"], from: 5, curedFrom: 30, until: 31 });
  mail("accepted", 6, { client: "replica-1.1" });
  mail("accepted", 20, { client: "replica-2.1" });
  status("Done", "Delivered", 22);
  deleted(23);
  assert.deepEqual(violations(), []);
});

test("what a paused replica begins after its pause needs an excuse of its own", () => {
  const { ledger, mail, status, deleted, violations } = story();
  const pause = { phase: PHASE, what: "SIGSTOP", clients: ["replica-1.1"], from: 5, curedFrom: 30, until: 30 };
  ledger.disturb(pause);
  mail("accepted", 20, { client: "replica-2.1" });
  mail("accepted", 31, { client: "replica-1.1" });
  status("Done", "Delivered", 32);
  deleted(33);
  assert.equal(violations().length, 1);
});

test("an answer that was lost excuses one repeat with the same Message-ID", () => {
  const { mail, status, deleted, violations } = story();
  mail("lost", 10);
  mail("accepted", 20);
  status("Done", "Delivered", 22);
  deleted(23);
  assert.deepEqual(violations(), []);
  mail("accepted", 21, { messageId: "b@chaos.example" });
  assert.deepEqual(
    violations().map((violation) => violation.replace(/:.*/, "")),
    ["ann@chaos.example", "m task 1"],
  );
});

test("a third try after two unanswered final dots is one too many", () => {
  const { mail, status, deleted, violations } = story();
  for (const at of [10, 20, 30]) mail("vanished", at);
  mail("accepted", 40);
  status("Done", "Delivered", 42);
  deleted(43);
  assert.match(violations().join(), /not answered 3 times/);
});

test("a final dot without an answer is forgotten where its replica died before the record", () => {
  const { ledger, mail, status, deleted, violations } = story();
  for (const at of [10, 20, 30]) mail("vanished", at);
  ledger.disturb({ phase: PHASE, what: "kill -9", clients: ["replica-1.1"], from: 32, curedFrom: 32, until: 32 });
  mail("accepted", 40);
  status("Done", "Delivered", 42);
  deleted(43);
  assert.doesNotMatch(violations().join(), /not answered/);
});

test("Failed is right with the server's own refusal, and wrong without it", () => {
  const refused = story();
  refused.mail("refused", 10, { code: 554 });
  refused.status("Failed", "MailRejected", 12);
  assert.deepEqual(refused.violations(), []);
  for (const reason of ["MailRejected", "RecipientRejected", "OutcomeUnknown", "DeadlineExceeded", "Delivered"]) {
    const told = story();
    told.mail("refused", 10, { code: 451 });
    told.status("Failed", reason, 12);
    assert.match(told.violations().join(), /which is not what happened/, reason);
  }
});

test("OutcomeUnknown is right after two final dots without an answer", () => {
  for (const second of ["vanished", "lost", "torn"] as const) {
    const { mail, status, violations } = story();
    mail("vanished", 10);
    mail(second, 20);
    status("Failed", "OutcomeUnknown", 22);
    assert.deepEqual(violations(), [], second);
  }
});

test("a replica that sends more than it has in its hands while it can record nothing is noticed", () => {
  const samples = makeSamples(PHASE, 40, new Random("seed")).filter(({ tasks }) => tasks.flat().length === 1);
  const { ledger } = story();
  ledger.disturb({ phase: PHASE, what: "outage", clients: ["replica-1.1"], from: 5, curedFrom: 90, until: 95 });
  for (const [index, sample] of samples.slice(0, IN_HAND + 1).entries()) {
    ledger.create(sample);
    const id = 100 + index;
    ledger.smtp({ type: "begin", id, client: "replica-1.1", at: 10 + index });
    ledger.smtp({ type: "recipient", id, address: sample.tasks.flat()[0] ?? "", at: 11 + index });
    ledger.smtp({ type: "dot", id, messageId: `${index}@chaos.example`, answer: "accepted", at: 12 + index });
  }
  const { violations } = judge(ledger, PHASE, IN_HAND);
  assert.ok(
    violations.includes("outage: replica-1.1 sent 3 mails unrecorded, at most 2 may be"),
    violations.join("\n"),
  );
});

test("the same seed makes the same messages", () => {
  const names = (seed: string) => JSON.stringify(makeSamples(PHASE, 50, new Random(seed, PHASE)));
  assert.equal(names("1"), names("1"));
  assert.notEqual(names("1"), names("2"));
});
