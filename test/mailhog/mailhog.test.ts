import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { simpleParser } from "mailparser";
import { startCourier } from "../deploy/courier-process.ts";
import { findMailHog, startMailHog } from "./mailhog-process.ts";

const found = await findMailHog();

test("the guide's mail arrives at MailHog, as text and as HTML", {
  skip: "missing" in found && found.missing,
  timeout: 90_000,
}, async (t) => {
  const mailhog = await startMailHog((found as { path: string }).path);
  t.after(() => mailhog.stop());
  const stateDir = await mkdtemp(join(tmpdir(), "courier-mailhog-"));
  t.after(() => rm(stateDir, { recursive: true }));
  const sandbox = startCourier([
    ...["sandbox", "--once", "--smtp", `127.0.0.1:${mailhog.smtpPort}`],
    ...["--state-dir", stateDir],
  ]);
  assert.equal(await sandbox.ended, 0, sandbox.lines.join("\n"));

  const [mail, ...more] = await mailhog.mails();
  assert.ok(mail);
  assert.deepEqual(more, []);
  assert.deepEqual(mail.Raw.To, ["platform-operator@example.com"]);
  assert.deepEqual(mail.Content.Headers["Subject"], ["ConfigMap app-team-a/app-notification-source changed"]);
  const { text, html } = await simpleParser(mail.Raw.Data);
  assert.match(text ?? "", /^The watched ConfigMap was updated\.\n\nNamespace: app-team-a\n/);
  assert.match(text ?? "", /\nSeverity: critical\s*$/);
  assert.match(html || "", /Severity: critical/);
});
