/** What a replica does while it leads: the delivery controller and the watches that feed it. */

import type { ServeConfig } from "../config/config.ts";
import { DeliveryController } from "../delivery/controller.ts";
import type { EventRecorder, Mailer, MailServerState } from "../delivery/ports.ts";
import { KubeError } from "../kube/kube-error.ts";
import { createMessageStore, MESSAGE_TYPES } from "../kube/message-store.ts";
import { parseEmailServer } from "../mail/email-server.ts";
import type { Metrics } from "../observe/metrics.ts";
import { LEGACY_NOTIFICATION_MESSAGE, NOTIFICATION_TEMPLATE, type ResourceType, SECRET } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { Term } from "./service.ts";
import { type Collection, type WatchParts, watchCollection } from "./watch-collection.ts";

export interface TermParts extends WatchParts {
  metrics: Metrics;
  mailer: Mailer;
  events: EventRecorder;
}

/** Delivers until the term stops, then finishes the mails in flight. Resolves when all of it is over. */
export async function deliverWhileLeading(
  config: ServeConfig,
  parts: TermParts,
  term: Term,
  onController: (controller: DeliveryController) => void,
): Promise<void> {
  const controller = createController(config, parts, term);
  onController(controller);
  const namespaces = config.allNamespaces ? [""] : config.namespace;
  const templates = namespaces.map((namespace) =>
    watchCollection(parts, NOTIFICATION_TEMPLATE, { namespace }, templatesFor(controller, namespace), term.stop),
  );
  const secret = watchCollection(
    parts,
    SECRET,
    { namespace: config.secretNamespace, fieldSelector: `metadata.name=${config.secretName}` },
    mailServerFor(controller, `${config.secretNamespace}/${config.secretName}`),
    term.stop,
  );
  await Promise.all([...templates, secret].map(({ answered }) => answered));
  const messages = namespaces.flatMap((namespace) =>
    MESSAGE_TYPES.map((type) =>
      watchCollection(parts, type, { namespace }, messagesFor(controller, type, namespace, term.stop), term.stop),
    ),
  );
  term.readiness.have("start");
  const watches = [...templates, secret, ...messages].map(({ done }) => done);
  await Promise.all([...watches, controller.run(term.stop, term.abort)]);
}

function createController(config: ServeConfig, parts: TermParts, term: Term): DeliveryController {
  const { client, events, logger, mailer, metrics } = parts;
  return new DeliveryController(
    {
      messages: createMessageStore(client),
      events,
      mailer,
      logger,
      now: Date.now,
      assertLeading() {
        if (!term.isHeld()) throw new Error("Cannot send mail: another replica holds the Lease");
      },
      observe: {
        received: metrics.received,
        attempted: (method, reason) => metrics.attempted(method, reason, reason === "Delivered"),
        finished: metrics.finished,
      },
    },
    { workers: config.workers, deadlineMs: config.deadline, failedRetentionMs: config.failedRetention },
  );
}

function messagesFor(
  controller: DeliveryController,
  type: ResourceType,
  namespace: string,
  signal: AbortSignal,
): Collection {
  return {
    async set(object) {
      await controller.offer(type.group, object, signal).catch((error: Error) => {
        if (!signal.aborted) throw error;
      });
    },
    delete: (object) => controller.withdraw(type.group, object),
    retain: (keys) => controller.retain(type.group, namespace, keys),
    // The older group is served by older installations only.
    trouble: (error) => type === LEGACY_NOTIFICATION_MESSAGE && error instanceof KubeError && error.code === 404,
  };
}

function templatesFor(controller: DeliveryController, namespace: string): Collection {
  return {
    set: (object) => controller.setTemplate(object),
    delete: (object) => controller.deleteTemplate(object),
    retain(keys) {
      controller.setTemplateTrouble(undefined);
      controller.retainTemplates(namespace, keys);
    },
    trouble(error) {
      controller.setTemplateTrouble(error.message);
      return false;
    },
  };
}

function mailServerFor(controller: DeliveryController, name: string): Collection {
  const missing = { problem: `Secret "${name}" does not exist: create it with host, port and from of the mail server` };
  let known = false;
  return {
    set(object) {
      known = true;
      controller.setServer(readMailServer(object, name));
    },
    delete: () => controller.setServer(missing),
    retain(keys) {
      known = true;
      if (!keys.has(name)) controller.setServer(missing);
    },
    trouble(error) {
      if (!known) controller.setServer({ problem: `Secret "${name}" cannot be read: ${error.message}` });
      return false;
    },
  };
}

function readMailServer(secret: KubeObject, name: string): MailServerState {
  try {
    return { server: parseEmailServer({ metadata: secret.metadata, data: secret.data as Record<string, string> }) };
  } catch (error) {
    return { problem: `Secret "${name}": ${(error as Error).message}` };
  }
}
