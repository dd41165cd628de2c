/** This replica's part in the shards: joins kube's ShardMember to the controller, and tells people of it. */
import type { ServeConfig } from "../config/config.ts";
import type { DeliveryController } from "../delivery/controller.ts";
import type { Shards } from "../delivery/ports.ts";
import { ShardMember } from "../kube/shard-member.ts";
import type { ShardState } from "../kube/shard-ports.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { WatchParts } from "./watch-collection.ts";

export interface ShardParts extends WatchParts {
  metrics: Metrics;
}

export interface DeliveryShards extends Shards {
  /** Resolves when it is known which shards are this replica's, or that this cannot be known now. */
  answered: Promise<void>;
  /** Takes part until `signal` aborts, then gives the seat back. */
  run(signal: AbortSignal): Promise<void>;
  /** Gives the shards away, each as soon as nothing of it is in hand. */
  leave(): Promise<void>;
}

/** `controllerOf` is asked when the first shards come; `stop` ends what a change has set going. */
export function joinShards(
  config: ServeConfig,
  parts: ShardParts,
  controllerOf: () => DeliveryController,
  stop: AbortSignal,
): DeliveryShards {
  const answered = Promise.withResolvers<void>();
  const tell = shardObserver(config, parts, () => member);
  const member: ShardMember = new ShardMember(
    parts.client,
    {
      namespace: config.leaseNamespace,
      name: config.leaseName,
      identity: config.identity,
      shards: config.shards,
      leaseDurationMs: config.leaseDuration,
      watchSilenceMs: config.watchSilence,
    },
    {
      onChange: (gained) => controllerOf().resettle(gained, stop),
      idle: (shard) => controllerOf().idle((hash) => hash % member.count === shard),
      onState(state) {
        tell(state);
        answered.resolve();
      },
    },
  );
  return {
    answered: answered.promise,
    takes: (hash) => member.takes(hash % member.count),
    tenureOf: (hash) => member.tenureOf(hash % member.count),
    get share() {
      return member.count === 0 ? 0 : member.held / member.count;
    },
    run: (signal) => member.run(signal).finally(() => parts.metrics.shards(0)),
    leave: () => member.leave(),
  };
}

/** Tells readiness, metrics and log how the shards stand, each thing once until it changes. */
function shardObserver(
  { shards, leaseNamespace, leaseName }: ServeConfig,
  { readiness, metrics, logger }: ShardParts,
  memberOf: () => ShardMember,
): (state: ShardState) => void {
  let told = "";
  return (state) => {
    const { held, count, configured } = memberOf();
    metrics.shards(held);
    if (state.phase === "retrying") readiness.lack("lease", state.error.message);
    else if (state.phase === "lost") readiness.lack("lease", "the Lease was not renewed in time");
    else readiness.have("lease");
    const disagreement = configured.length > 1 ? `replicas run with different --shards: ${configured.join(", ")}` : "";
    readiness.note("shards", disagreement === "" ? undefined : `${disagreement}; ${count} are in use`);
    const now = JSON.stringify([state.phase, held, count, disagreement, "error" in state && state.error.message]);
    if (now === told) return;
    told = now;
    if (state.phase === "retrying") {
      const facts = { leases: `${leaseNamespace}/${leaseName}-…`, error: state.error.message };
      logger.warn(facts, "Cannot keep the Leases, will try again");
    } else if (state.phase === "lost") logger.warn({ shards: held }, "Shards lost, another replica may take them");
    else if (state.phase === "standby") logger.info({ why: state.why }, "Standing by");
    else logger.info({ shards: held, of: count }, "Working on shards");
    if (disagreement !== "") logger.warn({ configured, here: shards, inUse: count }, "Replicas differ in --shards");
  };
}
