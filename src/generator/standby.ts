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
/** The part of Kyverno that generates: the Deployment of its charts, and the Lease that its leader renews. */
const BACKGROUND_CONTROLLER = { namespace: "kyverno", name: "kyverno-background-controller" };
/** Courier may bear Kyverno's name, so that the guide's commands find it: this label tells them apart. */
const [NAME_LABEL, COURIER] = ["app.kubernetes.io/name", "courier"];
/** Kyverno's own, should the Lease not say it. */
const LEASE_SECONDS = 15;

/** What is known of a Kyverno on the cluster; undefined where there is no such object. */
export interface KyvernoSigns {
  deployment: KubeObject | undefined;
  lease: KubeObject | undefined;
}

/** Whether the generator runs or stands by, and why. */
export type StandbyDecision = { standBy: false } | { standBy: true; because: string };

/**
 * Stands by while a real Kyverno generates: its background controller holds its Lease, or has ready replicas that are about
 * to. Both would create the same targets from the same policies. Pure.
 * @param now a Lease is judged by its renewTime: the clocks of both may differ by seconds, not minutes
 */
export function decideStandby({ deployment, lease }: KyvernoSigns, now: Date): StandbyDecision {
  const place = `${BACKGROUND_CONTROLLER.namespace}/${BACKGROUND_CONTROLLER.name}`;
  const holder = holderOf(lease, now);
  if (holder !== undefined) return standBy(`Lease ${place} is held by ${holder}`);
  const ready = readyReplicas(deployment);
  if (ready > 0) return standBy(`Deployment ${place} has ${ready} ready ${ready === 1 ? "replica" : "replicas"}`);
  return { standBy: false };
}

function standBy(sign: string): StandbyDecision {
  return {
    standBy: true,
    because: `Kyverno generates on this cluster (${sign}): scale it to 0 to let courier generate, or let both generate with --beside-kyverno`,
  };
}

function readyReplicas(deployment: KubeObject | undefined): number {
  if (deployment === undefined || deployment.metadata.labels?.[NAME_LABEL] === COURIER) return 0;
  const { status } = deployment;
  const ready = isObject(status) ? status["readyReplicas"] : 0;
  return typeof ready === "number" ? ready : 0;
}

/** Who holds the Lease; undefined when nobody does or it has run out. */
function holderOf(lease: KubeObject | undefined, now: Date): string | undefined {
  const spec = lease?.["spec"];
  if (!isObject(spec)) return undefined;
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
