import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { parseRecipient } from "../../src/resources/recipient.ts";

suite("an address is taken", () => {
  const cases: [destination: string, address: string][] = [
    ["platform-operator@example.com", "platform-operator@example.com"],
    ["  ann@example.com ", "ann@example.com"],
    ["Ann.B+tag@Example.COM", "Ann.B+tag@example.com"],
    ["o'brien_{x}@example.com", "o'brien_{x}@example.com"],
    ["root@localhost", "root@localhost"],
    ["ann@bücher.example", "ann@xn--bcher-kva.example"],
    ["运维@例子.测试", "运维@xn--fsqu00a.xn--0zwm56d"],
    [`${"a".repeat(64)}@example.com`, `${"a".repeat(64)}@example.com`],
  ];
  for (const [destination, address] of cases)
    test(destination, () => {
      const parsed = parseRecipient(destination);
      assert.ok("address" in parsed, JSON.stringify(parsed));
      assert.equal(parsed.address, address);
    });
});

suite("what is not one bare address is refused with what to do", () => {
  const cases: [destination: string, refusal: RegExp][] = [
    ["", /^The destination is empty: give one address, such as/],
    ["   ", /is empty/],
    ["nobody", /^"nobody" is no e-mail address: it has no @$/],
    ["@example.com", /nothing stands before the @/],
    ["ann@", /"" is no domain name/],
    ["ann@exa mple.com", /is not a bare address/],
    ["ann@-example.com", /"-example.com" is no domain name/],
    ["ann@example..com", /is no domain name/],
    ["ann@127.0.0.1", /is no domain name/],
    ["ann@[127.0.0.1]", /is no domain name/],
    ["a@example.com,b@example.com", /is not one address: give each address as a destination of its own/],
    ["a@example.com; b@example.com", /is not one address/],
    ["a@example.com b@example.com", /is not one address/],
    ["Ann <ann@example.com>", /is not a bare address: write "ann@example.com"$/],
    ['"ann b"@example.com', /is not a bare address/],
    [".ann@example.com", /".ann" cannot stand before the @/],
    ["ann@example.com\r\nRCPT TO:<b@example.com>", /has a line break or another invisible character/],
    ["ann@example.com\n", /has a line break/],
    ["ann\u0000@example.com", /invisible character/],
    ["ann\u202e@example.com", /invisible character/],
    [`${"a".repeat(65)}@example.com`, /has 65 bytes before the @, an address has at most 64 there/],
    [
      `${"a".repeat(9)}@${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.${"e".repeat(60)}.example`,
      /an address has at most 254/,
    ],
    ["x".repeat(300), /it has no @/],
    [`${"x".repeat(288)}@example.com`, /has 288 bytes before the @/],
    [`a@${"b.".repeat(2000)}com`, /is 4005 characters long, an address has at most 254/],
  ];
  for (const [destination, refusal] of cases)
    test(JSON.stringify(destination.slice(0, 50)), () => {
      const parsed = parseRecipient(destination);
      assert.ok("refusal" in parsed, JSON.stringify(parsed));
      assert.match(parsed.refusal, refusal);
      assert.ok(parsed.refusal.length < 250 && !/\p{Cc}/u.test(parsed.refusal), parsed.refusal);
    });
});

test("whatever is given, an accepted address can neither end nor extend an SMTP command", () => {
  const part = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\r\n", "<", ">", "@", ",", "ann", "example.com"),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const parsed = parseRecipient(parts.join(""));
      if ("address" in parsed) {
        assert.match(parsed.address, /^[^\s<>,;"()\p{Cc}@]+@[a-z0-9.-]+$/u);
        assert.ok(Buffer.byteLength(parsed.address) <= 254);
      }
    }),
  );
});
