import { planDelivery } from "../delivery/plan.ts";
import { formatProblem } from "../resources/fields.ts";
import { parseNotificationMessage } from "../resources/notification-message.ts";
import type { KubeObject } from "../resources/object.ts";
import { type Finding, findingAt, type Severity } from "./finding.ts";
import type { Manifest } from "./manifest.ts";

/** What delivery would refuse of a NotificationMessage. */
export function checkMessage(manifest: Manifest): Finding[] {
  return findRefusals(manifest, manifest.object, "");
}

/**
 * What delivery would refuse of a message that stands at `root` of a manifest. Fields that hold a policy's
 * `{{ expressions }}` are passed over, for nobody knows their values yet.
 */
export function findRefusals(manifest: Manifest, object: KubeObject, root: string): Finding[] {
  const message = parseNotificationMessage(object);
  const groups = [message.problems, ...message.subscriptions.map(({ problems }) => problems)];
  const told = new Set(groups.map((problems) => problems.map(formatProblem).join("; ")));
  const refusals = planDelivery(message).refusals.filter((refusal) => !told.has(refusal.message));
  const facts = [
    ...groups
      .flat()
      .map((problem) => ({ path: problem.path, message: formatProblem(problem), severity: "error" as Severity })),
    ...refusals.map(({ reason, message }) => ({
      path: /^[\w.-]+(?:\[\d+\][\w.-]*)*/.exec(message)?.[0] ?? "spec",
      message,
      severity: (reason === "MethodUnsupported" ? "warning" : "error") as Severity,
    })),
  ];
  return facts.flatMap(({ path, message, severity }) => {
    const at = root === "" ? path : `${root}.${path}`;
    if (root !== "" && manifest.textAt(at)?.value.includes("{{")) return [];
    const text = root === "" ? message : `${root}.${message}`;
    return [findingAt(manifest.source, manifest.offsetOf(at), { severity, rule: "wrong-value", message: text })];
  });
}
