import type { KubeObject } from "../../../resources/object.ts";
import { definitionSpec } from "../kinds/custom-resource-definition.ts";
import { keyOf, type Store } from "../store/store.ts";
import { CRD_COLLECTION } from "./builtin.ts";
import { customCollection, customResources } from "./custom.ts";
import type { Registry } from "./registry.ts";

/** Serves custom kinds as their definitions are written: a new kind is there before the write is answered. */
export function serveDefinitions(store: Store, registry: Registry): void {
  store.subscribe(({ collection, type, current, previous }) => {
    if (collection !== CRD_COLLECTION) return;
    const definition = current.object;
    const sameSpec =
      previous !== undefined && JSON.stringify(previous.object["spec"]) === JSON.stringify(definition["spec"]);
    if (type === "MODIFIED" && sameSpec) return;
    registry.removeCollection(customCollection(definition));
    if (type === "DELETED") return;
    if (hasKindConflict(registry, definition)) {
      queueMicrotask(() => refuseNames(store, definition)); // after this write has reached every watcher
      return;
    }
    for (const resource of customResources(definition)) registry.add(resource);
  });
}

/** Two kinds of one group cannot have the same name. */
function hasKindConflict(registry: Registry, definition: KubeObject): boolean {
  const { group, names } = definitionSpec(definition);
  return registry.all().some((one) => one.group === group && one.kind === names.kind);
}

function refuseNames(store: Store, definition: KubeObject): void {
  const key = keyOf(definition);
  const live = store.get(CRD_COLLECTION, key);
  if (live === undefined) return;
  const { kind } = definitionSpec(definition).names;
  const lastTransitionTime = definition.metadata.creationTimestamp;
  const common = { status: "False", lastTransitionTime };
  const conditions = [
    { type: "NamesAccepted", ...common, reason: "KindConflict", message: `"${kind}" is already in use` },
    { type: "Established", ...common, reason: "NotAccepted", message: "not all names are accepted" },
  ];
  const status = { ...(live.object["status"] as object), conditions };
  store.put(CRD_COLLECTION, key, { ...live.object, metadata: { ...live.object.metadata }, status });
}
