import type { Cluster } from "../generator/ports.ts";
import { KubeError } from "../kube/kube-error.ts";

const WRITES = ["create", "replace", "apply", "mergePatch", "delete"] as const;

/**
 * The cluster for who holds the Lease: asks before each write, since a process that was paused may wake up when another one
 * writes already. A write without the Lease rejects with KubeError `LeaseLost`; reading goes on.
 */
export function guardWrites<C extends Cluster>(cluster: C, isHeld: () => boolean): C {
  const guarded =
    (property: string | symbol, method: (...args: unknown[]) => unknown) =>
    async (...args: unknown[]) => {
      if (!isHeld())
        throw new KubeError({
          code: 0,
          reason: "LeaseLost",
          message: `Cannot ${String(property)}: the Lease is not held`,
        });
      return method.apply(cluster, args);
    };
  return new Proxy(cluster, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== "function") return value;
      const method = value as (...args: unknown[]) => unknown;
      return WRITES.some((write) => write === property) ? guarded(property, method) : method.bind(target);
    },
  });
}
