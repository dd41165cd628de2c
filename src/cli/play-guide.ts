/** The guide, played: its manifests, its patch, its log lines and its mail, printed as a reader of it would see them. */
import { applyManifests } from "../app/manifests.ts";
import type { Sandbox } from "../app/sandbox.ts";
import { isObject } from "../resources/fields.ts";
import { CONFIG_MAP, NOTIFICATION_MESSAGE, type ResourceType } from "../resources/kinds.ts";
import { parseNotificationMessage } from "../resources/notification-message.ts";
import type { KubeObject } from "../resources/object.ts";
import { inboxAsText } from "../sandbox/inbox/terminal.ts";
import { print, styled } from "./terminal.ts";
import { waitFor } from "./wait-for.ts";

/** The guide's manifests, in its order. */
const EXAMPLES = ["template.yaml", "source.yaml", "kyverno-rbac.yaml", "policy.yaml"];
const SOURCE = { namespace: "app-team-a", name: "app-notification-source" };
const PATCH = { data: { severity: "critical" } };
const POLICY_NAME = "generate-notificationmessage-on-configmap-change";
const CLUSTER_POLICY: ResourceType = {
  group: "kyverno.io",
  version: "v1",
  kind: "ClusterPolicy",
  plural: "clusterpolicies",
  namespaced: false,
};

/** The guide's command, without `kubectl` in front. */
export const PATCH_ARGUMENTS = `patch configmap ${SOURCE.name} -n ${SOURCE.namespace} --type merge -p '${JSON.stringify(PATCH)}'`;

/**
 * Plays the guide to its end: the mail has arrived, its message is gone.
 * @throws Error that says how far it came, when `signal` aborts before
 */
export async function playGuide(sandbox: Sandbox, signal: AbortSignal): Promise<void> {
  const { client, inbox } = sandbox;
  for (const file of EXAMPLES) {
    printCommand(`apply -f deploy/examples/${file}`);
    for (const { line } of await applyManifests(client, [`deploy/examples/${file}`], signal)) print(`  ${line}`);
  }
  await policyReady(sandbox, signal);

  const earlier = new Set((await inbox?.messages())?.map(({ id }) => id));
  const opened = Promise.withResolvers<void>();
  const end = messageEnd(sandbox, opened.resolve, signal);
  await Promise.race([opened.promise, end]);
  printCommand(PATCH_ARGUMENTS);
  const startMs = performance.now();
  await client.mergePatch(CONFIG_MAP, SOURCE, PATCH, {}, signal);
  print(`  configmap/${SOURCE.name} patched`);
  print();
  await end;
  const endMs = performance.now();
  const mail = await inbox?.waitForMail(({ id }) => !earlier.has(id), signal);
  print();
  if (mail) print(inboxAsText(mail));
  const place = mail ? "" : ` by ${sandbox.smtp.host}:${sandbox.smtp.port}`;
  const took = `${Math.round(endMs - startMs)} ms after the patch`;
  print(styled("green", `The mail was accepted${place}, the status said Done and the message was gone ${took}.`));
}

async function policyReady({ client }: Sandbox, signal: AbortSignal): Promise<void> {
  let last = "nothing reported its status";
  const options = { fieldSelector: `metadata.name=${POLICY_NAME}` };
  try {
    await waitFor(
      client,
      CLUSTER_POLICY,
      options,
      (event) => {
        if (event.type === "Synced") return undefined;
        const ready = readyCondition(event.object);
        if (ready) last = String(ready.message ?? ready.reason);
        return ready?.status === "True" ? true : undefined;
      },
      signal,
    );
  } catch (cause) {
    throw new Error(`The policy ${POLICY_NAME} did not become ready: ${last}`, { cause });
  }
}

function readyCondition({ status }: KubeObject): Record<string, unknown> | undefined {
  const conditions = isObject(status) && Array.isArray(status.conditions) ? status.conditions : [];
  return conditions.filter(isObject).find(({ type }) => type === "Ready");
}

/**
 * Resolves when the next NotificationMessage about the guide's source has come and gone. From the call of `onOpen` on,
 * none is missed.
 */
async function messageEnd({ client }: Sandbox, onOpen: () => void, signal: AbortSignal): Promise<void> {
  let last = "no NotificationMessage was generated";
  try {
    await waitFor(
      client,
      NOTIFICATION_MESSAGE,
      { namespace: "cpaas-system" },
      (event) => {
        if (event.type === "Synced") return onOpen() as undefined;
        if (!event.object.metadata.name?.startsWith(`cm-change-${SOURCE.namespace}-`)) return;
        last = `${event.object.metadata.name} is there, and ${explainStatus(event.object)}`;
        return event.type === "Deleted" ? true : undefined;
      },
      signal,
    );
  } catch (cause) {
    throw new Error(`The mail did not arrive: ${last}`, { cause });
  }
}

function explainStatus(object: KubeObject): string {
  const { phase, conditions } = parseNotificationMessage(object);
  const why = conditions.map(({ reason, message }) => `${reason}: ${message}`).join("; ");
  return phase === undefined ? "nobody has taken it up" : `its status is ${phase} (${why})`;
}

function printCommand(command: string): void {
  print();
  print(`${styled("dim", "$")} ${styled("bold", `kubectl ${command}`)}`);
}
