import type { Store } from "../store/store.ts";
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
    for (const resource of customResources(definition)) registry.add(resource);
  });
}
