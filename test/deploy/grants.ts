import type { ApiCall } from "./api-calls.ts";
import type { Binding, Manifest, Role } from "./manifests.ts";

/** One thing that a Role lets a ServiceAccount do. */
export interface Grant {
  verb: string;
  group: string;
  /** With its subresource: `notificationmessages/status`. */
  resource: string;
  /** The one object it is for; absent for all. */
  name?: string;
  /** Where it holds; absent for everywhere. */
  namespace?: string;
}

/** Everything that the Roles among `manifests` let `serviceAccount` do, one verb on one resource at a time. */
export function grantsOf(manifests: readonly Manifest[], serviceAccount: string): Grant[] {
  const bindings = manifests.filter(({ kind }) => kind.endsWith("RoleBinding")) as Binding[];
  return bindings
    .filter(({ subjects }) => subjects.some(({ name }) => name === serviceAccount))
    .flatMap(({ kind, metadata: { namespace }, roleRef }) => {
      const scope = kind === "RoleBinding" && namespace !== undefined ? { namespace } : {};
      return roleOf(manifests, roleRef, namespace).rules.flatMap((rule) => grantsOfRule(rule, scope));
    });
}

/** What Kubernetes' own roles hold, of those that are bound. */
const BUILT_IN: Record<string, Pick<Role, "rules">> = {
  "system:auth-delegator": {
    rules: [
      { apiGroups: ["authentication.k8s.io"], resources: ["tokenreviews"], verbs: ["create"] },
      { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
    ],
  },
};

function roleOf(
  manifests: readonly Manifest[],
  { kind, name }: Binding["roleRef"],
  namespace?: string,
): Pick<Role, "rules"> {
  const builtIn = BUILT_IN[name];
  if (builtIn !== undefined) return builtIn;
  const found = manifests.find(
    (manifest) =>
      manifest.kind === kind &&
      manifest.metadata.name === name &&
      (kind === "ClusterRole" || manifest.metadata.namespace === namespace),
  );
  if (found === undefined) throw new Error(`a binding names the ${kind} "${name}", which is not shipped`);
  return found as Role;
}

function grantsOfRule({ apiGroups, resources, resourceNames, verbs }: Role["rules"][number], scope: object): Grant[] {
  const names = resourceNames?.map((name) => ({ name })) ?? [{}];
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) => names.map((name) => ({ verb, group, resource, ...name, ...scope }))),
    ),
  );
}

/** Whether a grant is what allows a call. RBAC: a grant with names is for requests that name one of them. */
export function allows(grant: Grant, call: ApiCall): boolean {
  return (
    grant.verb === call.verb &&
    grant.group === call.group &&
    grant.resource === call.resource &&
    (grant.name === undefined || grant.name === call.name) &&
    (grant.namespace === undefined || grant.namespace === call.namespace)
  );
}

/** `patch events.events.k8s.io in cpaas-system`, for people. */
export function describeGrant({ verb, group, resource, name, namespace }: Grant): string {
  const named = name === undefined ? "" : ` "${name}"`;
  return `${verb} ${resource}${group === "" ? "" : `.${group}`}${named} ${namespace === undefined ? "everywhere" : `in ${namespace}`}`;
}
