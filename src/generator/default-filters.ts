import type { ChangeRequest } from "./request.ts";

/** Namespaces that Kyverno's default `resourceFilters` leave out; the last is its own. */
const SYSTEM_NAMESPACES = ["kube-system", "kube-public", "kube-node-lease", "kyverno"];

/** Kinds that its default `resourceFilters` leave out. */
const QUIET_KINDS = ["APIService", "Binding", "Event", "Node", "ReplicaSet"];

/** TokenReview, SubjectAccessReview and their kin: questions to the API server, not objects. */
const REVIEW = /^(?:Token|(?:Self|Local)?Subject(?:Access|Rules))Review$/;

/**
 * Why Kyverno's default filters leave a change out, whatever the rules say; undefined when they let it through. A Namespace
 * counts as inside itself. They are about changes: what `generateExisting` finds is not filtered.
 */
export function leftOutByDefault({
  type: { kind },
  object: { metadata },
}: Pick<ChangeRequest, "type" | "object">): string | undefined {
  if (QUIET_KINDS.includes(kind) || REVIEW.test(kind))
    return `changes of kind ${kind} never trigger a rule (a default filter of Kyverno)`;
  const namespace = (kind === "Namespace" ? metadata.name : metadata.namespace) ?? "";
  if (SYSTEM_NAMESPACES.includes(namespace))
    return `changes in namespace "${namespace}" never trigger a rule (a default filter of Kyverno)`;
  return undefined;
}
