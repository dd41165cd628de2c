import { setTimeout as pause } from "node:timers/promises";
import { applyManifests } from "../../src/app/manifests.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import type { KubeObject } from "../../src/resources/object.ts";

const PATIENCE_MS = 30_000;

/** Applies the manifests, and resolves when the API server serves every kind that they define: it does so a moment later. */
export async function applyDefinitions(client: KubeClient, manifests: readonly string[]): Promise<void> {
  const applied = await applyManifests(client, manifests);
  const defined = applied.flatMap(({ object }) => kindsOf(object));
  const signal = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    const served = new Set((await client.discover(signal)).map(({ group, kind }) => `${kind}.${group}`));
    if (defined.every((kind) => served.has(kind))) return;
    await pause(50, undefined, { signal });
  }
}

/** `Kind.group`, for a CustomResourceDefinition. */
function kindsOf({ kind, ...object }: KubeObject): string[] {
  if (kind !== "CustomResourceDefinition") return [];
  const { group, names } = object["spec"] as { group: string; names: { kind: string } };
  return [`${names.kind}.${group}`];
}
