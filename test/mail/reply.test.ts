import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  asksForLess,
  asksToComeLater,
  enhancedCodeOf,
  isAboutSender,
  isTooManyRecipients,
  recipientRemedy,
} from "../../src/mail/reply.ts";

suite("the enhanced status code of a reply", () => {
  const cases: [response: string, code: string | undefined][] = [
    ["550 5.1.1 User unknown", "5.1.1"],
    ["550-5.1.1 User\n550 5.1.1 unknown", "5.1.1"],
    ["554 5.2.252 SendAsDenied", "5.2.252"],
    ["450 4.7.1", "4.7.1"],
    ["550 User unknown", undefined],
    ["550 4.1.1 a class that contradicts the reply code", undefined],
    ["451 5.1.1 the other way round", undefined],
    ["550 5.1.1.1 no code at all", undefined],
    ["550 5.1.1234 no code either", undefined],
    ["550 10.0.0.1 an address", undefined],
    ["", undefined],
  ];
  for (const [response, code] of cases)
    test(`is ${code ?? "none"} in "${response}"`, () => assert.equal(enhancedCodeOf(response), code));
});

suite("a reply", () => {
  const rcpt = "RCPT TO";
  const cases: [reply: [number, string?, string?], meaning: string[]][] = [
    [[452, undefined, rcpt], ["too many recipients"]],
    [[452, "4.5.3", rcpt], ["too many recipients"]],
    [[552, undefined, rcpt], ["too many recipients"]],
    [[552, "5.5.3", rcpt], ["too many recipients"]],
    [[452, "4.2.2", rcpt], []],
    [[552, "5.2.2", rcpt], []],
    [[452, "4.3.1", rcpt], []],
    [[452, undefined, "DATA"], []],
    [[421, undefined, "CONN"], ["less"]],
    [
      [421, "4.7.0", "MAIL FROM"],
      ["less", "later", "sender"],
    ],
    [
      [450, "4.7.0", "MAIL FROM"],
      ["less", "later", "sender"],
    ],
    [
      [451, "4.7.28", "DATA"],
      ["less", "later"],
    ],
    [[452, "4.3.2", "DATA"], ["less"]],
    [[450, "4.7.0", rcpt], ["later"]],
    [[451, "4.7.1", rcpt], ["later"]],
    [[550, "5.7.1", rcpt], []],
    [[550, "5.1.8", rcpt], ["sender"]],
    [[550, undefined, "MAIL FROM"], ["sender"]],
    [[552, "5.3.4", "MAIL FROM"], []],
    [[554, "5.2.252", "DATA"], ["sender"]],
  ];
  for (const [[responseCode, enhanced, command], meaning] of cases)
    test(`${responseCode} ${enhanced ?? ""} to ${command} is about: ${meaning.join(", ") || "nothing special"}`, () => {
      const reply = { responseCode, ...(enhanced && { enhanced }), ...(command && { command }) };
      const found = {
        "too many recipients": isTooManyRecipients(reply),
        less: asksForLess(reply),
        later: asksToComeLater(reply, "…"),
        sender: isAboutSender(reply),
      };
      assert.deepEqual(
        Object.entries(found).flatMap(([name, holds]) => (holds ? [name] : [])),
        meaning,
      );
    });

  test("that is not temporary never asks to come later, whatever it says of greylists", () => {
    assert.equal(asksToComeLater({ responseCode: 550 }, "550 You are greylisted"), false);
    assert.equal(asksToComeLater({ responseCode: 450 }, "450 You are Gray-listed"), true);
  });

  test("about a recipient says who can help", () => {
    assert.match(recipientRemedy({ enhanced: "5.1.1" }) ?? "", /destination/);
    assert.match(recipientRemedy({ enhanced: "5.2.1" }) ?? "", /disabled/);
    assert.equal(recipientRemedy({}), undefined);
  });
});
