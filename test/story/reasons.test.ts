/** Every reason there is, brought about, and what it leaves behind: status, summary, Event and metric in the same word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { waitFor } from "../../src/cli/wait-for.ts";
import { REASONS, type Reason } from "../../src/delivery/reasons.ts";
import { EVENT, NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import { type Platform, type PlatformOptions, startPlatform, subscriptionOf, templateOf } from "../support/platform.ts";
import type { SmtpScript } from "../support/smtp-server.ts";

const GOOD = { body: { labels: { name: "good" } }, notifications: [subscriptionOf("ann@example.com")] };
const withMethod = (method: string) => ({
  notifications: [{ ...subscriptionOf("ann@example.com"), ephemeral: { methods: [method], template: "change" } }],
});

/** Keys of the Secret beside host and port, or the whole of it. */
type Secret = Record<string, string>;

interface Case {
  phase: "Done" | "Processing" | "Failed";
  told?: RegExp;
  smtp?: SmtpScript;
  secret?: Secret;
  content?: string;
  spec?: object;
  serve?: PlatformOptions["serve"];
}

const CASES: Record<Reason, Case> = {
  Delivered: { phase: "Done" },
  RecipientRejected: { phase: "Failed", told: /No such user/, smtp: { recipient: () => "550 5.1.1 No such user" } },
  MailRejected: { phase: "Failed", told: /Looks like spam/, smtp: { mail: () => "554 5.7.1 Looks like spam" } },
  TemporaryFailure: { phase: "Processing", told: /Busy/, smtp: { recipient: () => "451 4.3.0 Busy" } },
  OutcomeUnknown: { phase: "Failed", told: /may have|unknown|lost/i, smtp: { drop: "final-dot" } },
  ServerUnavailable: { phase: "Processing", told: /check data\.host and data\.port/, secret: { port: "1" } },
  ServerNotConfigured: { phase: "Processing", told: /data\.port "abc" is no port/, secret: { port: "abc" } },
  AuthenticationFailed: {
    phase: "Processing",
    told: /Bad credentials/,
    smtp: { auth: "clear", login: () => "535 5.7.8 Bad credentials" },
    secret: { username: "ann", password: "wrong" },
  },
  TLSFailed: { phase: "Processing", told: /sslEnabled|TLS/, secret: { sslEnabled: "true" } },
  TemplateNotFound: { phase: "Processing", told: /"change" does not exist/, content: "" },
  TemplateInvalid: { phase: "Processing", told: /content:1:/, content: "{{ if }}" },
  RenderFailed: { phase: "Processing", told: /content:1:/, content: "{{ index .labels.name 7 9 }}" },
  SubscriptionInvalid: { phase: "Failed", told: /spec\.notifications\[0\]/, spec: { notifications: [{ name: "x" }] } },
  MethodUnsupported: { phase: "Failed", told: /methods\[0\] is "Sms"/, spec: withMethod("Sms") },
  NoRecipients: { phase: "Failed", told: /receivers is empty/, spec: { notifications: [subscriptionOf()] } },
  Suppressed: {
    phase: "Failed",
    told: /--allowed-recipient-domains has example\.net/,
    serve: { allowedRecipientDomains: ["example.net"] },
  },
  DeadlineExceeded: {
    phase: "Failed",
    told: /gave up after .*the last reason was TemporaryFailure: .*Busy/,
    smtp: { recipient: () => "451 4.3.0 Busy" },
    serve: { deadline: 1500 },
  },
};

for (const reason of REASONS) {
  const { phase, told, smtp, secret, content = "Hello", spec = GOOD, serve } = CASES[reason];
  test(`${reason} leaves the message ${phase}, and says so everywhere in the same word`, async (t) => {
    const platform = await startPlatform(t, {
      ...(smtp && { smtp }),
      ...(secret && { secret }),
      ...(serve && { serve }),
    });
    if (content !== "") await platform.apply(templateOf(content));
    const name = await platform.send(spec);
    if (phase === "Done") return platform.gone(name);
    const { conditions } = await platform.inPhase(name, phase, new RegExp(`^${reason}: `));
    assert.equal(conditions.length, 1);
    assert.match(conditions[0]?.message ?? "", told ?? /./);
    assert.equal(conditions[0]?.status, phase === "Failed" ? "False" : "Unknown");
    const object = await platform.client.get(NOTIFICATION_MESSAGE, keyOf(name));
    const { summary } = (object?.["status"] ?? {}) as { summary?: { reason: string } };
    assert.equal(summary?.reason, reason);
    await warned(platform, name, reason);
    assert.notEqual(await countOf(platform, reason), 0);
  });
}

test("of one transaction, who was refused for good fails alone, and who was put off is mailed alone later", async (t) => {
  let knocks = 0;
  const recipient = (address: string) => {
    if (address.startsWith("bob")) return "550 5.1.1 No such user";
    return address.startsWith("cy") && ++knocks === 1 ? "451 4.3.0 Busy" : undefined;
  };
  const platform = await startPlatform(t, { smtp: { recipient } });
  await platform.apply(templateOf("Hello"));
  const three = ["ann@example.com", "bob@example.com", "cy@example.com"];
  const name = await platform.send({ notifications: [subscriptionOf(...three)] });
  const { conditions } = await platform.inPhase(name, "Failed");
  assert.deepEqual(
    conditions.map(({ addresses, reason, retryTimes }) => [addresses, reason, retryTimes]),
    [
      [["ann@example.com"], "Delivered", 0],
      [["bob@example.com"], "RecipientRejected", 0],
      [["cy@example.com"], "Delivered", 1],
    ],
  );
  const { mails } = platform.smtp;
  assert.deepEqual(
    mails.map(({ to }) => to),
    [["ann@example.com"], ["cy@example.com"]],
  );
  assert.equal(new Set(mails.map(({ parsed }) => parsed.messageId)).size, 1);
});

test("a mail whose outcome is unknown goes out once more under the same Message-ID, and is counted apart", async (t) => {
  const platform = await startPlatform(t);
  const mail = () => {
    platform.smtp.dropAll();
    return undefined;
  };
  platform.smtp.script = { mail };
  await platform.apply(templateOf("Hello"));
  const name = await platform.send(GOOD);
  const { conditions } = await platform.inPhase(name, "Failed");
  assert.deepEqual([conditions[0]?.reason, conditions[0]?.retryTimes], ["OutcomeUnknown", 1]);
  const ids = platform.smtp.mails.map(({ parsed }) => parsed.messageId);
  assert.equal(ids.length, 2);
  assert.equal(ids[0], ids[1]);
  assert.equal(await countOf(platform, "OutcomeUnknown"), 2);
  assert.equal(await countOf(platform, "TemporaryFailure"), 0);
});

function keyOf(name: string) {
  return { namespace: "cpaas-system", name };
}

/** Resolves when there is a Warning Event about a message with this reason: it comes after the status. */
function warned({ client }: Platform, name: string, reason: string): Promise<true> {
  return waitFor(
    client,
    EVENT,
    { namespace: "cpaas-system" },
    (event) => {
      if (event.type === "Synced") return undefined;
      const {
        regarding,
        type,
        reason: why,
      } = event.object as { regarding?: { name?: string }; [field: string]: unknown };
      return regarding?.name === name && type === "Warning" && why === reason ? true : undefined;
    },
    AbortSignal.timeout(15_000),
  );
}

/** What `courier_delivery_failures_total` counts for a reason. */
async function countOf({ service: { address } }: Platform, reason: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${address.port}/metrics`)).text();
  const rows = [...text.matchAll(/^courier_delivery_failures_total\{(.*)\} (\d+)$/gm)];
  return rows
    .filter(([, labels]) => labels?.includes(`reason="${reason}"`))
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}
