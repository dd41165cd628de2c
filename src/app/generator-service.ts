import { Gauge, Registry } from "prom-client";
import type { GenerateConfig } from "../config/config.ts";
import { CheckpointStore } from "../generator/checkpoint-store.ts";
import { loadPolicyFiles } from "../generator/policy-files.ts";
import type { GeneratorPorts } from "../generator/ports.ts";
import { runAlone } from "../generator/run-alone.ts";
import { runGenerator } from "../generator/run-generator.ts";
import type { StandbyDecision } from "../generator/standby.ts";
import { connect } from "../kube/connect.ts";
import { readHistory } from "../kube/read-history.ts";
import { recordEvent } from "../kube/record-event.ts";
import { watchResource } from "../kube/watch-resource.ts";
import type { Logger } from "../observe/logger.ts";
import { collectProcessMetrics } from "../observe/metrics.ts";
import { accessOf } from "./cluster-access.ts";
import { workWhileLeading } from "./leader.ts";
import { guardWrites } from "./lease-guard.ts";
import { type Service, startService, type Work } from "./service.ts";

/** Where Kyverno writes its UpdateRequests, and the guide looks for them. */
const UPDATE_REQUEST_NAMESPACE = "kyverno";

/** As Kyverno's own Events name it, so that filters written for them go on working. */
const REPORTING_CONTROLLER = "kyverno-generate";

/** The generator: runs generate rules while it leads. @throws Error when a policy path or the cluster cannot be read */
export async function startGenerator(config: GenerateConfig, logger: Logger): Promise<Service> {
  const files = await loadPolicyFiles(config.policies);
  const client = await connect(accessOf(config));
  const reporter = { reportingController: REPORTING_CONTROLLER, reportingInstance: config.identity };
  const { registry, leading, standingBy } = generatorMetrics();
  return startService(config, { client, registry }, (work) =>
    workWhileLeading(config, { client, logger, leading }, work, async (stop, isHeld) => {
      const cluster = guardWrites(client, isHeld);
      const ports: GeneratorPorts = {
        cluster,
        watch: (type, options, handlers, signal) =>
          watchResource(client, type, { ...options, silenceMs: config.watchSilence }, handlers, signal),
        history: (type, query, signal) => readHistory(client, type, query, signal),
        recordEvent: (event, signal) => recordEvent(cluster, { ...event, ...reporter }, signal),
      };
      const checkpoint = { namespace: config.leaseNamespace, name: `${config.leaseName}-checkpoint` };
      const options = {
        files,
        fromCluster: true,
        resourceFilters: config.resourceFilters,
        successEvents: config.generateSuccessEvents,
        namespace: UPDATE_REQUEST_NAMESPACE,
        checkpoint,
        onState({ missing, problem }: { missing: string[]; problem: string | undefined }) {
          work.readiness.have("start");
          if (missing.length === 0) work.readiness.have("policies");
          else work.readiness.lack("policies", missing.join("; "));
          work.readiness.note("checkpoint", problem);
        },
      };
      let hasStoodBy = false; // then Kyverno has generated for what happened meanwhile
      const run = (signal: AbortSignal) => runGenerator({ ...options, resume: !hasStoodBy }, ports, logger, signal);
      if (config.besideKyverno) return run(stop);
      const observe = standbyObserver(work, logger, standingBy);
      const onDecision = (decision: StandbyDecision) => {
        hasStoodBy ||= decision.standBy;
        observe(decision);
      };
      const forget = (signal: AbortSignal) => new CheckpointStore(cluster, checkpoint).forget(signal);
      await runAlone({ cluster: client, logger, run, forget, onDecision }, stop).finally(() => standingBy(false));
    }),
  );
}

/** Tells readiness, metrics and log whether a Kyverno generates in our place. Standing by is being ready: to take over. */
function standbyObserver(
  { readiness }: Pick<Work, "readiness">,
  logger: Logger,
  standingBy: (stands: boolean) => void,
) {
  return (decision: StandbyDecision): void => {
    standingBy(decision.standBy);
    const because = decision.standBy ? decision.because : undefined;
    const before = readiness.note("standing by", because);
    if (because === undefined) {
      if (before !== undefined) logger.info("Kyverno does not generate any more, taking over");
      return;
    }
    if (because !== before) logger.warn({ because }, "Standing by beside Kyverno");
    readiness.have("policies");
    readiness.have("start");
  };
}

function generatorMetrics() {
  const registry = new Registry();
  collectProcessMetrics(registry);
  const leader = new Gauge({
    name: "courier_leader",
    help: "1 while this replica holds the Lease",
    registers: [registry],
  });
  const standby = new Gauge({
    name: "courier_generator_standby",
    help: "1 while this replica leaves generating to a Kyverno on the same cluster",
    registers: [registry],
  });
  return {
    registry,
    leading: (leads: boolean) => leader.set(leads ? 1 : 0),
    standingBy: (stands: boolean) => standby.set(stands ? 1 : 0),
  };
}
