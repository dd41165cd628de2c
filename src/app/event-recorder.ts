import type { EventRecorder } from "../delivery/ports.ts";
import type { KubeClient } from "../kube/client.ts";
import { recordEvent } from "../kube/record-event.ts";
import type { Logger } from "../observe/logger.ts";
import { formatKey } from "../resources/object.ts";

const CONTROLLER = "courier.io/courier-api";

/** Delivery's Events, written to the cluster; one that cannot be written is logged and forgotten. */
export function createEventRecorder(client: KubeClient, instance: string, logger: Logger): EventRecorder {
  return {
    async record(message, { type, reason, note }, signal) {
      const event = { regarding: message, type, reason, action: "Deliver", note };
      try {
        await recordEvent(client, { ...event, reportingController: CONTROLLER, reportingInstance: instance }, signal);
      } catch (error) {
        const { namespace = "", name = "" } = message.metadata;
        const facts = { message: formatKey({ namespace, name }), reason, error: (error as Error).message };
        logger.warn(facts, "Cannot record Event");
      }
    },
  };
}
