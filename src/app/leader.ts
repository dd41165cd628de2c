/** Work that one replica does while it holds a Lease, and the others stand by for. */
import type { KubeClient } from "../kube/client.ts";
import { type LeaseState, type LeaseTerm, runWithLease } from "../kube/lease.ts";
import type { Logger } from "../observe/logger.ts";
import type { Readiness } from "../observe/readiness.ts";
import type { Work } from "./service.ts";

export interface LeaderConfig {
  leaseName: string;
  leaseNamespace: string;
  identity: string;
  /** Milliseconds. */
  leaseDuration: number;
}

export interface LeaderParts {
  client: KubeClient;
  logger: Logger;
  leading(leads: boolean): void;
}

/**
 * Does `lead` while this replica holds the Lease, again for each term. Its signal aborts when the Lease is lost, too; `isHeld`
 * is to be asked before every effect, since a process that was paused may go on before the signal has aborted.
 */
export async function workWhileLeading(
  config: LeaderConfig,
  parts: LeaderParts,
  { readiness, stop }: Pick<Work, "readiness" | "stop">,
  lead: (stop: AbortSignal, isHeld: () => boolean) => Promise<void>,
): Promise<void> {
  const lease = { namespace: config.leaseNamespace, name: config.leaseName, identity: config.identity };
  const onState = leaseObserver(lease, readiness, parts);
  const term = ({ signal, isHeld }: LeaseTerm) => {
    readiness.lack("start", "the watches are not open yet");
    return lead(signal, isHeld).finally(() => parts.leading(false));
  };
  const timing = {
    leaseDurationMs: config.leaseDuration,
    renewDeadlineMs: (config.leaseDuration * 2) / 3,
    retryPeriodMs: (config.leaseDuration * 2) / 15,
  };
  await runWithLease(parts.client, { ...lease, ...timing, onState }, term, stop).finally(() => parts.leading(false));
}

/** Tells readiness, metrics and log how the Lease stands; the same trouble is logged once until it changes. */
function leaseObserver(
  { namespace, name, identity }: { namespace: string; name: string; identity: string },
  readiness: Readiness,
  { logger, leading }: LeaderParts,
): (state: LeaseState) => void {
  let trouble: string | undefined;
  return (state) => {
    if (state.phase === "retrying") {
      const error = state.error.message;
      readiness.lack("lease", error);
      if (error !== trouble)
        logger.warn({ lease: `${namespace}/${name}`, error }, "Cannot get the Lease, will try again");
      trouble = error;
      return;
    }
    trouble = undefined;
    readiness.have("lease");
    leading(state.phase === "leading");
    if (state.phase === "leading") {
      logger.info({ identity }, "Leading");
    } else {
      readiness.have("start");
      logger.info({ holder: state.holder }, "Standing by");
    }
  };
}
