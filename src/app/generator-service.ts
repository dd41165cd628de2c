import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { GenerateConfig } from "../config/config.ts";
import { loadPolicyFiles } from "../generator/policy-files.ts";
import type { GeneratorPorts } from "../generator/ports.ts";
import { runGenerator } from "../generator/run-generator.ts";
import { connect } from "../kube/connect.ts";
import { recordEvent } from "../kube/record-event.ts";
import { watchResource } from "../kube/watch-resource.ts";
import type { Logger } from "../observe/logger.ts";
import { accessOf } from "./cluster-access.ts";
import { type Service, startService } from "./service.ts";

/** Where Kyverno writes its UpdateRequests, and the guide looks for them. */
const UPDATE_REQUEST_NAMESPACE = "kyverno";

/** As Kyverno's own Events name it, so that filters written for them go on working. */
const REPORTING_CONTROLLER = "kyverno-generate";

/** The generator: runs generate rules while it leads. @throws Error when a policy path or the cluster cannot be read */
export async function startGenerator(config: GenerateConfig, logger: Logger): Promise<Service> {
  const files = await loadPolicyFiles(config.policies);
  const client = await connect(accessOf(config));
  const reporter = { reportingController: REPORTING_CONTROLLER, reportingInstance: config.identity };
  return startService(config, { client, logger, metrics: generatorMetrics() }, async (term) => {
    const ports: GeneratorPorts = {
      cluster: client,
      watch: (type, options, handlers, signal) => watchResource(client, type, options, handlers, signal),
      recordEvent: (event, signal) => recordEvent(client, { ...event, ...reporter }, signal),
    };
    const options = {
      files,
      fromCluster: true,
      namespace: UPDATE_REQUEST_NAMESPACE,
      onState({ missing }: { missing: string[] }) {
        term.readiness.have("start");
        if (missing.length === 0) term.readiness.have("policies");
        else term.readiness.lack("policies", missing.join("; "));
      },
    };
    await runGenerator(options, ports, logger, term.stop);
  });
}

function generatorMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const leader = new Gauge({
    name: "courier_leader",
    help: "1 while this replica holds the Lease",
    registers: [registry],
  });
  return { registry, leading: (leads: boolean) => leader.set(leads ? 1 : 0) };
}
