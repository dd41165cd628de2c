/** The templates that ship, with their example messages, in a real browser. COURIER_SCREENSHOTS=1 renews the pictures. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { readManifests } from "../../src/author/manifest.ts";
import { readFiles } from "../../src/author/manifest-files.ts";
import { type Preview, previewMails } from "../../src/author/preview.ts";
import { findChromium, launchChromium } from "./chromium.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PICTURES = join(ROOT, "docs/images/templates");
/** Runs in the page, whose types this program does not have. */
const CONTRAST = fileURLToPath(new URL("lowest-contrast.js", import.meta.url));
const executable = findChromium();
const skip = executable === undefined ? "there is no Chromium: install it, or run as root on Debian" : false;

const VIEWS = [
  { view: "light", width: 620, colorScheme: "light" },
  { view: "dark", width: 620, colorScheme: "dark" },
  { view: "narrow", width: 360, colorScheme: "light" },
] as const;

/** What a reader must see of each template's example. */
const VISIBLE: Record<string, string[]> = {
  "alert-firing-en-template": [
    "PodRestartsTooOften is firing",
    "Severity",
    "2026-11-22 08:15:30 UTC",
    "Open the runbook",
  ],
  "alert-firing-zh-template": [
    "PodRestartsTooOften 已触发",
    "命名空间",
    "2026-11-22 16:15:30 (UTC+08)",
    "查看处理手册",
  ],
  "alert-resolved-en-template": ["PodRestartsTooOften is resolved", "Ended", "2026-11-22 08:42:10 UTC"],
  "alert-resolved-zh-template": ["PodRestartsTooOften 已恢复", "恢复时间", "2026-11-22 16:42:10"],
  "change-notice-template": [
    "ConfigMap app-notification-source changed",
    "in namespace app-team-a",
    "Owner",
    "CHG-20491",
  ],
  "configmap-change-email-template": [
    "The watched ConfigMap was updated.",
    "Namespace: app-team-a",
    "Severity: critical",
  ],
  "default-email-template": ["A notification was sent.", "severity: critical"],
};

let browser: Browser | undefined;
let previews: Preview[] = [];

before(async () => {
  if (executable === undefined) return;
  browser = await launchChromium(executable);
  const { sources } = await readFiles([join(ROOT, "templates")]);
  const manifests = sources.flatMap((source) => readManifests(source).manifests);
  previews = previewMails(manifests, { changeBody: (body) => body, date: new Date() }).previews;
});
after(() => browser?.close());

test("each template that ships has an example message", { skip }, () => {
  assert.deepEqual(previews.map(({ template }) => template.identity.name).sort(), Object.keys(VISIBLE));
  assert.ok(previews.every(({ message, unset }) => message !== undefined && unset.length === 0));
});

for (const [name, texts] of Object.entries(VISIBLE)) {
  for (const { view, width, colorScheme } of VIEWS) {
    test(`${name} can be read in the ${view} view`, { skip }, async (t) => {
      const preview = previews.find(({ template }) => template.identity.name === name);
      const page = await browser?.newPage({ viewport: { width, height: 120 }, colorScheme });
      assert.ok(page && preview);
      t.after(() => page.close());
      await page.setContent(preview.html);
      await page.addScriptTag({ path: CONTRAST });
      const shown = (await page.locator("body").innerText()).replaceAll("\u00a0", " ");
      for (const text of texts) assert.ok(shown.includes(text), `${text}\nis not in\n${shown}`);
      assert.ok((await page.evaluate<number>("document.documentElement.scrollWidth")) <= width, "it scrolls sideways");
      assert.ok(
        (await page.evaluate<number>("lowestContrast()")) >= 4.5,
        "a text is too near to its background (WCAG 1.4.3)",
      );
      if (process.env["COURIER_SCREENSHOTS"])
        await page.screenshot({
          path: join(PICTURES, `${name.replace(/-template$/, "")}.${view}.png`),
          fullPage: true,
        });
    });
  }
}
