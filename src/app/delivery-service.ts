import type { ServeConfig } from "../config/config.ts";
import type { DeliveryController } from "../delivery/controller.ts";
import { REASONS } from "../delivery/reasons.ts";
import { connect } from "../kube/connect.ts";
import { createSmtpMailer } from "../mail/smtp-mailer.ts";
import type { Logger } from "../observe/logger.ts";
import { createMetrics } from "../observe/metrics.ts";
import { parseData } from "../template/index.ts";
import { apiFor } from "./api-access.ts";
import { accessOf } from "./cluster-access.ts";
import { deliver } from "./deliver.ts";
import { createEventRecorder } from "./event-recorder.ts";
import { type Service, startService } from "./service.ts";
import { VERSION } from "./version.ts";

/** courier-api: delivers the NotificationMessages of its shards. @throws KubeError when the configuration names no cluster */
export async function startDelivery(config: ServeConfig, logger: Logger): Promise<Service> {
  let controller: DeliveryController | undefined;
  const metrics = createMetrics({
    version: VERSION,
    reasons: REASONS.filter((reason) => reason !== "Delivered"),
    load: () => controller?.load,
  });
  const client = await connect({ ...accessOf(config), parse: parseData });
  const mailer = createSmtpMailer({
    maxConnections: config.smtpConnections,
    socketTimeoutMs: config.smtpTimeout,
    allowPlainAuth: config.allowPlainAuth,
  });
  const events = createEventRecorder(client, config.identity, logger);
  const parts = { client, logger, metrics, mailer, events, watchSilence: config.watchSilence };
  const api = apiFor(config, client, logger);
  return startService(config, { client, registry: metrics.registry, api, close: () => mailer.close() }, (work) =>
    deliver(config, { ...parts, readiness: work.readiness }, work, (created) => {
      controller = created;
    }),
  );
}
