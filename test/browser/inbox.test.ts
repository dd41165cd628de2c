/** The inbox page with the guide's mail, in a real browser. COURIER_SCREENSHOTS=1 renews the README's picture. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startSandbox } from "../../src/app/sandbox.ts";
import { playGuide } from "../../src/cli/play-guide.ts";
import { defaultConfig } from "../../src/config/config.ts";
import { findChromium, launchChromium } from "./chromium.ts";

const PICTURE = fileURLToPath(new URL("../../docs/images/inbox.png", import.meta.url));
const executable = findChromium();
const skip = executable === undefined ? "there is no Chromium: install it, or run as root on Debian" : false;

test("the inbox shows the guide's mail with its lines", { skip }, async (t) => {
  const stateDir = await mkdtemp(join(tmpdir(), "courier-test-"));
  const sandbox = await startSandbox(defaultConfig("sandbox", { stateDir }), () => {});
  const browser = await launchChromium(executable ?? "");
  t.after(async () => {
    await browser.close();
    await sandbox.stop();
    await rm(stateDir, { recursive: true });
  });
  const write = t.mock.method(process.stdout, "write", () => true);
  await playGuide(sandbox, AbortSignal.timeout(15_000));
  write.mock.restore();

  const page = await browser.newPage({ viewport: { width: 1180, height: 640 }, deviceScaleFactor: 2 });
  await page.goto(sandbox.inbox?.url ?? "");
  await page.getByText("ConfigMap app-team-a/app-notification-source changed").first().click();
  const mail = page.frameLocator("iframe").first().locator("body");
  await mail.getByText("Severity: critical").waitFor();
  const text = await mail.innerText();
  for (const line of ["The watched ConfigMap was updated.", "Namespace: app-team-a", "Owner: platform-ops"]) {
    assert.ok(
      text.split("\n").some((shown) => shown.trim() === line),
      `${line}\nis not a line of\n${text}`,
    );
  }
  if (process.env.COURIER_SCREENSHOTS) await page.screenshot({ path: PICTURE });
});
