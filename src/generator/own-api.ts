import { RuleError } from "./errors.ts";
import type { Policy } from "./rule-model.ts";

/**
 * A call stays on the cluster's own API, asks nothing through its proxies and, for a Policy, stays in its namespace.
 * @param path where `urlPath` stands
 * @throws RuleError
 */
export function requireOwnApi(policy: Pick<Policy, "kind" | "namespace">, urlPath: string, path: string): void {
  const [pathname = ""] = urlPath.split("?");
  const segments = pathname.split("/");
  const isPlain =
    /^\/(?:api|apis|version)(?:\/[\w.\-:/]+)?$/.test(pathname) && !segments.some((segment) => /^\.+$/.test(segment));
  if (!isPlain || segments.includes("proxy"))
    throw new RuleError(
      `${path} is "${urlPath}": it must be a path of the cluster's API, such as /api/v1/namespaces/x`,
    );
  const [namespaces, namespace] = segments[1] === "api" ? segments.slice(3, 5) : segments.slice(4, 6);
  if (policy.kind === "Policy" && (namespaces !== "namespaces" || namespace !== policy.namespace))
    throw new RuleError(`${path} is "${urlPath}": a Policy calls only paths below /namespaces/${policy.namespace}/`);
}
