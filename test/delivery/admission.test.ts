import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Admission, refuseDomain } from "../../src/delivery/admission.ts";
import { parseRecipient } from "../../src/resources/recipient.ts";

const HOUR_MS = 3_600_000;
const NOW = Date.parse("2026-11-22T20:00:00Z");

function admission(
  rules: Partial<ConstructorParameters<typeof Admission>[0]>,
  clock = { nowMs: NOW, share: 1 },
): Admission {
  return new Admission({ allowedRecipientDomains: [], ...rules }, { now: () => clock.nowMs, shards: clock });
}

/** What becomes of a destination: `no address`, `suppressed`, or the address that is mailed. */
function fateOf(destination: string, patterns: string[]): string {
  const parsed = parseRecipient(destination);
  if ("refusal" in parsed) return "no address";
  return refuseDomain(parsed.address, patterns) === undefined ? parsed.address : "suppressed";
}

for (const [destination, fate] of [
  ["ann@good.com", "ann@good.com"],
  ["ann@GOOD.com", "ann@good.com"],
  ["ann@ｇｏｏｄ。com", "ann@good.com"],
  ["ann@evil.com", "suppressed"],
  ["ann@good.com.evil.com", "suppressed"],
  ["ann@notgood.com", "suppressed"],
  ["ann@sub.good.com", "suppressed"],
  ["ann@gооd.com", "suppressed"], // Cyrillic о
  ["ann@xn--gd-jbda.com", "suppressed"],
  ["ann%evil.com@good.com", "suppressed"],
  ["evil.com!ann@good.com", "suppressed"],
  ["a@evil.com,b@good.com", "no address"],
  ["a@evil.com b@good.com", "no address"],
  ['"a@good.com"@evil.com', "no address"],
  ["a@evil.com(@good.com", "no address"],
  ["a(comment)@good.com", "no address"],
  ["@good.com:a@evil.com", "no address"],
  ["a@good.com@evil.com", "no address"],
  ["<a@evil.com>@good.com", "no address"],
  ["a@good.com.", "no address"],
  ["a@evil.com\u0000@good.com", "no address"],
  ["a@good\u200b.com", "no address"],
] as const) {
  test(`with good.com alone allowed, ${JSON.stringify(destination)} comes to: ${fate}`, () => {
    assert.equal(fateOf(destination, ["good.com"]), fate);
  });
}

test("whatever the destination, what is mailed ends in an allowed domain and names no other", () => {
  const part = fc.oneof(
    fc.constantFrom("@", ",", ";", '"', "<", ">", "(", ")", "%", "!", ":", ".", " ", "\u200b", "\r\n"),
    fc.constantFrom("good.com", "evil.com", "ann", "ｇｏｏｄ"),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const fate = fateOf(parts.join(""), ["good.com", "*.good.com"]);
      if (fate !== "suppressed" && fate !== "no address")
        assert.match(fate, /^[^@%!,;"<>()\s]+@([a-z0-9-]+\.)*good\.com$/u);
    }),
    { numRuns: 2000 },
  );
});

test("a refused domain names the setting, what it allows and what to do", () => {
  const told = refuseDomain("ann@evil.com", ["a.com", "b.com", "c.com", "d.com", "e.com", "f.com", "g.com"]);
  assert.equal(
    told,
    "courier may not mail evil.com: --allowed-recipient-domains has a.com, b.com, c.com, d.com, e.com and 2 more; ask courier's operator to add it, send it again then with the annotation courier.io/retry",
  );
});

test("a used up limit names itself, the time of the next mail and what to do", () => {
  const clock = { nowMs: NOW, share: 1 };
  const limits = admission({ recipientRate: { count: 2, periodMs: HOUR_MS } }, clock);
  assert.equal(limits.take("ns", "ann@example.com"), undefined);
  assert.equal(limits.take("other", "ANN@example.com"), undefined);
  assert.equal(
    limits.take("ns", "ann@example.com"),
    "the limit of 2 mails in 60 min to one recipient (--recipient-rate) is used up, and takes the next at 2026-11-22T20:30:00Z: send it again then with the annotation courier.io/retry, or ask courier's operator for a higher limit",
  );
  assert.equal(limits.take("ns", "bob@example.com"), undefined);
  clock.nowMs = Date.parse("2026-11-22T20:30:00Z");
  assert.equal(limits.take("ns", "ann@example.com"), undefined);
});

test("a mail that one limit stops uses up nothing of the other", () => {
  const limits = admission({
    recipientRate: { count: 1, periodMs: HOUR_MS },
    namespaceRate: { count: 2, periodMs: HOUR_MS },
  });
  assert.equal(limits.take("ns", "ann@example.com"), undefined);
  for (let tries = 0; tries < 5; tries += 1)
    assert.match(limits.take("ns", "ann@example.com") ?? "", /--recipient-rate/);
  assert.equal(limits.take("ns", "bob@example.com"), undefined);
  assert.match(limits.take("ns", "cy@example.com") ?? "", /--namespace-rate/);
  assert.equal(limits.take("other", "cy@example.com"), undefined);
});

test("each replica has its share of a limit, as its shards come and go", () => {
  const clock = { nowMs: NOW, share: 0.5 };
  const limits = admission({ namespaceRate: { count: 4, periodMs: HOUR_MS } }, clock);
  const taken = () => [1, 2, 3, 4].filter((n) => limits.take("ns", `${n}@example.com`) === undefined).length;
  assert.equal(taken(), 2);
  clock.nowMs += HOUR_MS;
  clock.share = 1;
  assert.equal(taken(), 4);
  clock.nowMs += HOUR_MS;
  clock.share = 0;
  assert.equal(taken(), 4, "what is in hand when the last shard goes is not held up");
});
