import type { ServeConfig } from "../config/config.ts";
import type { DeliveryController } from "../delivery/controller.ts";
import { REASONS } from "../delivery/reasons.ts";
import { connect } from "../kube/connect.ts";

import { createSmtpMailer } from "../mail/smtp-mailer.ts";
import type { Logger } from "../observe/logger.ts";
import { createMetrics } from "../observe/metrics.ts";
import { parseData } from "../template/index.ts";
import { accessOf } from "./cluster-access.ts";
import { deliverWhileLeading } from "./delivery-term.ts";
import { createEventRecorder } from "./event-recorder.ts";
import { type Service, startService } from "./service.ts";
import { VERSION } from "./version.ts";

/** courier-api: delivers NotificationMessages while it leads. @throws KubeError when the configuration names no cluster */
export async function startDelivery(config: ServeConfig, logger: Logger): Promise<Service> {
  let controller: DeliveryController | undefined;
  const load = () => controller?.load ?? { queued: 0, active: 0 };
  const metrics = createMetrics({
    version: VERSION,
    reasons: REASONS.filter((reason) => reason !== "Delivered"),
    load,
  });
  const client = await connect({ ...accessOf(config), parse: parseData });
  const mailer = createSmtpMailer({
    maxConnections: config.smtpConnections,
    socketTimeoutMs: config.smtpTimeout,
    allowPlainAuth: config.allowPlainAuth,
  });
  const events = createEventRecorder(client, config.identity, logger);
  return startService(config, { client, logger, metrics }, async (term) => {
    const parts = { client, logger, readiness: term.readiness, metrics, mailer, events };
    await deliverWhileLeading(config, parts, term, (created) => {
      controller = created;
    });
    if (term.stop.aborted && !term.abort.aborted) await mailer.close();
  });
}
