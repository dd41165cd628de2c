/** What courier-api does: the delivery controller and the watches that feed it. */

import type { ServeConfig } from "../config/config.ts";
import { DeliveryController } from "../delivery/controller.ts";
import type { EventRecorder, Mailer, MailServerState, Shards } from "../delivery/ports.ts";
import { KubeError } from "../kube/kube-error.ts";
import { MESSAGE_TYPES } from "../kube/message-store.ts";
import { parseEmailServer } from "../mail/email-server.ts";
import type { Metrics } from "../observe/metrics.ts";
import { LEGACY_NOTIFICATION_MESSAGE, NOTIFICATION_TEMPLATE, type ResourceType, SECRET } from "../resources/kinds.ts";
import { formatKey, type KubeObject, type ObjectKey } from "../resources/object.ts";
import { joinShards } from "./delivery-shards.ts";
import { messagesOf } from "./messages.ts";
import type { Work } from "./service.ts";
import { createUnverifiedTlsWarning } from "./unverified-tls.ts";
import { type Collection, type Scope, type WatchParts, watchCollection } from "./watch-collection.ts";

/** What `/readyz` calls the mail server. */
const MAIL_SERVER = "mail server";

export interface DeliveryParts extends WatchParts {
  metrics: Metrics;
  mailer: Mailer;
  events: EventRecorder;
}

/** Delivers until `stop`, then finishes the mails in flight. Resolves when all of it is over and the shards are given back. */
export async function deliver(
  config: ServeConfig,
  parts: DeliveryParts,
  { stop: stopping, abort }: Pick<Work, "stop" | "abort">,
  onController: (controller: DeliveryController) => void,
): Promise<void> {
  const bug = new AbortController(); // one part that breaks ends the others too, before the Leases are given back
  const stop = AbortSignal.any([stopping, bug.signal]);
  const running: Promise<void>[] = [];
  const run = (part: Promise<void>) => {
    const ended = part.catch((error) => bug.abort(error));
    running.push(ended);
    return ended;
  };
  const shards = joinShards(config, parts, () => controller, stop);
  const controller = createController(config, parts, shards);
  onController(controller);
  const leaving = new AbortController();
  const member = shards.run(leaving.signal).catch((error) => bug.abort(error));
  stop.addEventListener("abort", () => void shards.leave());
  const watch = (type: ResourceType, scope: Scope, collection: Collection) => {
    const { answered, done } = watchCollection(parts, type, scope, collection, stop);
    return Promise.race([answered, run(done)]);
  };
  const namespaces = config.allNamespaces ? [""] : config.namespace;
  const secretKey = { namespace: config.secretNamespace, name: config.secretName };
  const secretScope = { namespace: secretKey.namespace, fieldSelector: `metadata.name=${secretKey.name}` };
  const templates = namespaces.map((namespace) =>
    watch(NOTIFICATION_TEMPLATE, { namespace }, templatesFor(controller, namespace)),
  );
  const mailServer = watch(SECRET, secretScope, mailServerFor(controller, secretKey, parts, stop));
  // Shards first: what is listed after they came need not be read again.
  await Promise.all([...templates, mailServer, Promise.race([shards.answered, member])]);
  for (const namespace of namespaces) {
    for (const type of MESSAGE_TYPES) watch(type, { namespace }, messagesFor(controller, type, namespace, stop));
  }
  parts.readiness.have("start");
  run(controller.run(stop, AbortSignal.any([abort, bug.signal])));
  await Promise.all(running);
  leaving.abort();
  await member;
  parts.readiness.note(MAIL_SERVER, undefined);
  bug.signal.throwIfAborted();
}

function createController(config: ServeConfig, parts: DeliveryParts, shards: Shards): DeliveryController {
  const { client, events, logger, mailer, metrics } = parts;
  return new DeliveryController(
    {
      messages: messagesOf(config, client),
      events,
      mailer,
      logger,
      now: Date.now,
      shards,
      observe: {
        received: metrics.received,
        attempted: metrics.attempted,
        stopped: metrics.stopped,
        finished: metrics.finished,
      },
    },
    {
      workers: config.workers,
      deadlineMs: config.deadline,
      failedRetentionMs: config.failedRetention,
      allowSafeHtml: config.allowSafeHtml,
      allowedRecipientDomains: config.allowedRecipientDomains,
      ...(config.namespaceRate && { namespaceRate: config.namespaceRate }),
      ...(config.recipientRate && { recipientRate: config.recipientRate }),
    },
  );
}

function messagesFor(
  controller: DeliveryController,
  type: ResourceType,
  namespace: string,
  signal: AbortSignal,
): Collection {
  let listedAfter = 0;
  return {
    listing() {
      listedAfter = controller.gains;
    },
    set(object, isListed) {
      const origin = isListed ? { listedAfter } : "event";
      return controller.offer(type.group, object, origin, signal)?.catch((error: Error) => {
        if (!signal.aborted) throw error;
      });
    },
    glance: (metadata) => controller.glance(type.group, metadata),
    delete: (metadata) => controller.withdraw(type.group, metadata),
    retain: (keys) => controller.retain(type.group, namespace, keys),
    // The older group is served by older installations only.
    trouble: (error) => type === LEGACY_NOTIFICATION_MESSAGE && error instanceof KubeError && error.code === 404,
  };
}

function templatesFor(controller: DeliveryController, namespace: string): Collection {
  return {
    set: (object) => controller.setTemplate(object),
    delete: (metadata) => controller.deleteTemplate(metadata),
    retain: (keys) => controller.retainTemplates(namespace, keys),
    well: () => controller.setTemplateTrouble(namespace, undefined),
    trouble(error) {
      controller.setTemplateTrouble(namespace, error.message);
      return false;
    },
  };
}

function mailServerFor(
  controller: DeliveryController,
  key: ObjectKey,
  parts: DeliveryParts,
  signal: AbortSignal,
): Collection {
  const name = formatKey(key);
  const missing = { problem: `Secret "${name}" does not exist: create it with host, port and from of the mail server` };
  const warnOfUnverifiedTls = createUnverifiedTlsWarning(parts, signal);
  let known = false;
  const setServer = (state: MailServerState, secret?: KubeObject) => {
    known = true;
    controller.setServer(state);
    tellMailServer(state, parts);
    warnOfUnverifiedTls(state, secret);
  };
  return {
    set: (object) => setServer(readMailServer(object, name), object),
    delete: () => setServer(missing),
    retain(keys) {
      if (!keys.has(name)) setServer(missing);
    },
    trouble(error) {
      if (!known) controller.setServer({ problem: `Secret "${name}" cannot be read: ${error.message}` });
      return false;
    },
  };
}

/** Without a mail server nothing is lost, so that the process stays ready; but whoever looks at it is told. */
function tellMailServer(state: MailServerState, { readiness, logger }: DeliveryParts): void {
  const problem = "problem" in state ? state.problem : undefined;
  const before = readiness.note(MAIL_SERVER, problem);
  if (problem === before) return;
  if (problem === undefined) logger.info("Mail server is configured");
  else logger.warn({ problem }, "Mail server is not configured, messages wait");
}

function readMailServer(secret: KubeObject, name: string): MailServerState {
  try {
    return { server: parseEmailServer({ metadata: secret.metadata, data: secret.data as Record<string, string> }) };
  } catch (error) {
    return { problem: `Secret "${name}": ${(error as Error).message}` };
  }
}
