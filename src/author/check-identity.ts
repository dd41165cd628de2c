import {
  apiVersionOf,
  LEGACY_NOTIFICATION_MESSAGE,
  NOTIFICATION_MESSAGE,
  NOTIFICATION_TEMPLATE,
} from "../resources/kinds.ts";
import { suggest } from "../template/suggest.ts";
import { type Finding, findingAt } from "./finding.ts";
import type { Manifest } from "./manifest.ts";

/** Kind → the apiVersions that courier reads it in; a policy's are checked where it is parsed. */
const VERSIONS: Record<string, readonly string[]> = {
  NotificationTemplate: [apiVersionOf(NOTIFICATION_TEMPLATE)],
  NotificationMessage: [apiVersionOf(NOTIFICATION_MESSAGE), apiVersionOf(LEGACY_NOTIFICATION_MESSAGE)],
};
const KINDS = [...Object.keys(VERSIONS), "ClusterPolicy"];
/** RFC 1123's subdomain, as Kubernetes takes it for names. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Whether an object is what it is meant to be: its kind, the version of that, its name. */
export function checkIdentity(manifest: Manifest): Finding[] {
  const { kind, apiVersion } = manifest.object;
  const versions = Object.hasOwn(VERSIONS, kind) ? VERSIONS[kind] : undefined;
  if (versions === undefined) return checkKind(manifest);
  const findings: Finding[] = [];
  const report = (path: string, message: string) =>
    findings.push(
      findingAt(manifest.source, manifest.offsetOf(path), { severity: "error", rule: "wrong-value", message }),
    );
  if (!versions.includes(apiVersion))
    report(
      "apiVersion",
      `apiVersion is ${JSON.stringify(apiVersion) ?? "missing"}: ${kind} is read as ${versions.join(" or ")}`,
    );
  const { name } = manifest.identity;
  if (name === "" && kind !== "NotificationMessage") report("metadata", "metadata.name is missing: name the object");
  else if (name !== "" && !NAME.test(name))
    report("metadata.name", `metadata.name "${name.slice(0, 80)}" is no name for Kubernetes: use a-z, 0-9, - and .`);
  return findings;
}

/** A kind that is nearly one of ours. */
function checkKind(manifest: Manifest): Finding[] {
  const { kind } = manifest.object;
  const near = KINDS.includes(kind) ? undefined : suggest(kind, KINDS);
  if (near === undefined) return [];
  const message = `unknown kind "${kind}": did you mean "${near}"?`;
  return [findingAt(manifest.source, manifest.offsetOf("kind"), { severity: "error", rule: "unknown-kind", message })];
}
