import { isObject } from "../resources/fields.ts";
import { LEASE, type ResourceType } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import { messageOf } from "./errors.ts";
import { type Cluster, isApiError } from "./ports.ts";

const DEPLOYMENT: ResourceType = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
};
/** What Kyverno's charts call the part of it that generates; its Lease has the same name. */
const BACKGROUND_CONTROLLER = { namespace: "kyverno", name: "kyverno-background-controller" };
/** Courier's own Deployment may bear Kyverno's name, so that the guide's commands find it: this label tells them apart. */
const PART_OF = "app.kubernetes.io/part-of";
const LEASE_SECONDS = 15;

/** What is known of a Kyverno on the cluster; undefined where there is no such object. */
export interface KyvernoSigns {
  deployment: KubeObject | undefined;
  lease: KubeObject | undefined;
}

/** Whether the generator runs or stands by, and why. */
export type StandbyDecision = { standBy: false } | { standBy: true; because: string };

/**
 * Stands by while a real Kyverno generates: its background controller has ready replicas, or holds its Lease. Both would
 * create the same targets from the same policies. Pure.
 * @param signs a Lease is judged by its renewTime, so `now` and the cluster's clock may differ by seconds, not minutes
 */
export function decideStandby({ deployment, lease }: KyvernoSigns, now: Date): StandbyDecision {
  const place = `${BACKGROUND_CONTROLLER.namespace}/${BACKGROUND_CONTROLLER.name}`;
  const ready = readyReplicas(deployment);
  if (ready > 0) return standBy(`Deployment ${place} has ${ready} ready ${ready === 1 ? "replica" : "replicas"}`);
  const holder = holderOf(lease, now);
  if (holder !== undefined && !isCourier(deployment)) return standBy(`Lease ${place} is held by ${holder}`);
  return { standBy: false };
}

function standBy(sign: string): StandbyDecision {
  return {
    standBy: true,
    because: `Kyverno generates on this cluster (${sign}): scale it to 0 to let courier generate, or allow both with --beside-kyverno`,
  };
}

function readyReplicas(deployment: KubeObject | undefined): number {
  const status = deployment?.["status"];
  const ready = isObject(status) && !isCourier(deployment) ? status["readyReplicas"] : 0;
  return typeof ready === "number" ? ready : 0;
}

function isCourier(object: KubeObject | undefined): boolean {
  return object?.metadata.labels?.[PART_OF] === "courier";
}

/** Who holds the Lease; undefined when nobody does or it has run out. */
function holderOf(lease: KubeObject | undefined, now: Date): string | undefined {
  const spec = lease?.["spec"];
  if (!isObject(spec) || isCourier(lease)) return undefined;
  const { holderIdentity, renewTime, leaseDurationSeconds } = spec;
  if (typeof holderIdentity !== "string" || holderIdentity === "" || typeof renewTime !== "string") return undefined;
  const seconds = typeof leaseDurationSeconds === "number" ? leaseDurationSeconds : LEASE_SECONDS;
  return Date.parse(renewTime) + seconds * 1_000 > now.getTime() ? holderIdentity : undefined;
}

/**
 * Looks for a Kyverno on the cluster. What this generator may not read is no sign of one; `unread` says so, to be logged.
 * @throws ApiError when the API server does not answer or refuses for another reason than rights
 */
export async function findKyverno(
  cluster: Pick<Cluster, "get">,
  signal: AbortSignal,
): Promise<KyvernoSigns & { unread: string[] }> {
  const unread: string[] = [];
  const read = async (type: ResourceType): Promise<KubeObject | undefined> => {
    try {
      return await cluster.get(type, BACKGROUND_CONTROLLER, signal);
    } catch (error) {
      if (!isApiError(error) || error.code !== 403) throw error;
      unread.push(messageOf(error));
      return undefined;
    }
  };
  return { deployment: await read(DEPLOYMENT), lease: await read(LEASE), unread };
}
