import type { ResourceFilterEntry } from "../resources/resource-filter.ts";
import { matchGlob } from "./glob.ts";
import { matchesKind, splitKindSelector } from "./kind-selector.ts";
import type { ChangeRequest } from "./request.ts";
import type { KindSelector } from "./rule-model.ts";

/** Why a change is left out, whatever the rules say; undefined when it is let through. */
export type LeaveOut = (change: Pick<ChangeRequest, "type" | "object">) => string | undefined;

/**
 * Leaves out the changes that an entry describes, as Kyverno's `resourceFilters` do. A Namespace counts as inside itself, too.
 * Entries for a single subresource describe nothing that a watch sees. They are about changes: what `generateExisting` finds is
 * not filtered.
 */
export function leaveOut(entries: readonly ResourceFilterEntry[]): LeaveOut {
  const filters = entries.flatMap((entry) => {
    const { group = "*", version = "*", kind, subresource } = splitKindSelector(entry.kind);
    return subresource === "" || subresource === "*" ? [{ entry, selector: { group, version, kind } }] : [];
  });
  return ({ type, object: { metadata } }) => {
    const { name = "", namespace = "" } = metadata;
    const found = filters.find((filter) => describes(filter, type, { namespace, name }));
    if (found === undefined) return undefined;
    const where = namespace === "" ? `"${name}"` : `in namespace "${namespace}"`;
    return `changes of ${type.kind} ${where} never trigger a rule: the resource filter ${found.entry.text} leaves them out`;
  };
}

function describes(
  { entry, selector }: { entry: ResourceFilterEntry; selector: KindSelector },
  type: ChangeRequest["type"],
  { namespace, name }: { namespace: string; name: string },
): boolean {
  if (!matchesKind(selector, type)) return false;
  if (matchGlob(entry.namespace, namespace) && matchGlob(entry.name, name)) return true;
  return type.kind === "Namespace" && matchGlob(entry.namespace, name);
}
