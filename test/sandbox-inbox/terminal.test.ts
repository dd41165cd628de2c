import assert from "node:assert/strict";
import { test } from "node:test";
import type { InboxMail } from "../../src/sandbox/inbox/inbox.ts";
import { inboxAsText } from "../../src/sandbox/inbox/terminal.ts";

const MAIL: InboxMail = {
  id: "a",
  from: [{ address: "user@example.com", name: "Courier" }],
  to: [{ address: "platform-operator@example.com", name: "" }],
  recipients: ["platform-operator@example.com"],
  subject: "ConfigMap app-team-a/app-notification-source changed",
  date: new Date("2026-11-22T16:00:00Z"),
  text: "The watched ConfigMap was updated.\n\nNamespace: app-team-a\n",
  html: "",
  headers: {},
};

test("a mail is shown as its headers and its text in a box", () => {
  assert.equal(
    inboxAsText(MAIL, 68),
    [
      "┌──────────────────────────────────────────────────────────────────┐",
      "│ From:    Courier <user@example.com>                              │",
      "│ To:      platform-operator@example.com                           │",
      "│ Subject: ConfigMap app-team-a/app-notification-source changed    │",
      "│ Date:    Sun, 22 Nov 2026 16:00:00 +0000                         │",
      "├──────────────────────────────────────────────────────────────────┤",
      "│ The watched ConfigMap was updated.                               │",
      "│                                                                  │",
      "│ Namespace: app-team-a                                            │",
      "└──────────────────────────────────────────────────────────────────┘",
      "",
    ].join("\n"),
  );
});

test("wide characters take two columns and are never cut", () => {
  const lines = inboxAsText({ ...MAIL, text: "通知".repeat(30) }, 44).split("\n");
  const body = lines.slice(-5, -2);
  assert.deepEqual(body, [`│ ${"通知".repeat(10)} │`, `│ ${"通知".repeat(10)} │`, `│ ${"通知".repeat(10)} │`]);
});

test("long lines break at blanks, and long words anywhere", () => {
  const body = inboxAsText({ ...MAIL, text: `${"word ".repeat(12)}\n${"x".repeat(50)}` }, 44)
    .split("\n")
    .slice(-6, -2);
  for (const line of body) assert.equal(line.length, 44);
  assert.equal(body[2], `│ ${"x".repeat(40)} │`);
});

test("a mail cannot steer the terminal", () => {
  const shown = inboxAsText({ ...MAIL, text: "\u001b[31mred\u202e", subject: "\u0007bell\r\nforged" });
  assert.doesNotMatch(shown, /[^\P{Cc}\n]|\u202e/u);
});

test("a mail that hides its recipients shows those of its envelope", () => {
  assert.match(inboxAsText({ ...MAIL, to: [] }), /To: {6}platform-operator@example.com/);
});
