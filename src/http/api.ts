/** `/api/v1`: what became of a message, and to have it sent again. */
import express, { type ErrorRequestHandler, type Request, type Response, Router } from "express";
import type { Logger } from "../observe/logger.ts";
import { LEGACY_NOTIFICATION_MESSAGE, NOTIFICATION_MESSAGE } from "../resources/kinds.ts";
import { RETRY_ANNOTATION } from "../resources/message-requests.ts";
import { type NotificationMessage, parseNotificationMessage } from "../resources/notification-message.ts";
import { formatKey, type KubeObject } from "../resources/object.ts";
import { createGuard } from "./guard.ts";
import type { Action, ApiGuard, MessageAccess, MessageKey } from "./ports.ts";
import { type StatusCode, StatusError, sendStatus } from "./status-answer.ts";

export interface ApiPorts {
  messages: MessageAccess;
  guard: ApiGuard;
  logger: Logger;
}

const GROUPS = [NOTIFICATION_MESSAGE.group, LEGACY_NOTIFICATION_MESSAGE.group];
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
/** For all that one request asks of the API server. */
const REQUEST_MS = 10_000;
const BODY_BYTES = 1024;
/** Changes of a message between our reading and writing it that are followed. */
const CONFLICTS = 5;

/** The routes of `/api/v1`; every answer but a success is a Kubernetes Status. */
export function createApi({ messages, guard: rule, logger }: ApiPorts): Router {
  const guard = createGuard(rule);
  const api = Router();
  const allowed = async (request: Request, verb: Action["verb"], signal: AbortSignal): Promise<MessageKey> => {
    const key = keyOf(request);
    await guard.authorize(request, { verb, resource: "notificationmessages", ...key }, signal);
    return key;
  };

  api.use(guard.admit);
  api.use(express.json({ limit: BODY_BYTES, type: "application/json" }));
  api
    .route("/messages/:namespace/:name")
    .get(async (request, response) => {
      const signal = signalOf(response);
      const key = await allowed(request, "get", signal);
      response.json(viewOf(await find(messages, key, signal)));
    })
    .all(refuseMethod("GET"));
  api
    .route("/messages/:namespace/:name/retry")
    .post(async (request, response) => {
      refuseBody(request);
      const signal = signalOf(response);
      const key = await allowed(request, "patch", signal);
      const answer = await retry(messages, key, signal);
      logger.info({ message: formatKey(key), user: guard.nameOf(request) }, "Retry asked for");
      response.status(202).json(answer);
    })
    .all(refuseMethod("POST"));
  api.use(tellError(logger));
  return api;
}

/** The part of a message that says what became of it. */
function viewOf(object: KubeObject): object {
  const { apiVersion, kind, metadata } = object;
  const { namespace, name, uid, generation, creationTimestamp } = metadata;
  const {
    phase = "Pending",
    conditions,
    observedGeneration,
    observedRetry,
    restartedAt,
  } = parseNotificationMessage(object);
  const status = { phase, conditions, observedGeneration, observedRetry, restartedAt };
  return { apiVersion, kind, metadata: { namespace, name, uid, generation, creationTimestamp }, status };
}

async function find(messages: MessageAccess, key: MessageKey, signal: AbortSignal): Promise<KubeObject> {
  const object = await messages.get(key, signal);
  if (object !== undefined) return object;
  throw new StatusError(
    404,
    `there is no NotificationMessage.${key.group} "${formatKey(key)}": it was never created, or it was delivered, which ends with its deletion; then the log of courier-api has "Update status" with phase Done for it. Messages of the older group are found with ?group=${LEGACY_NOTIFICATION_MESSAGE.group}`,
  );
}

/** Asks for another try by a new value of the annotation, on the very message that was judged. */
async function retry(messages: MessageAccess, key: MessageKey, signal: AbortSignal): Promise<object> {
  for (let conflicts = 0; conflicts < CONFLICTS; conflicts += 1) {
    const object = await find(messages, key, signal);
    const recipients = recipientsToRetry(parseNotificationMessage(object), key);
    const value = new Date().toISOString();
    const { resourceVersion = "" } = object.metadata;
    const written = await messages.annotate(key, resourceVersion, { [RETRY_ANNOTATION]: value }, signal);
    if (written === "written") return { message: key, retry: value, recipients };
  }
  throw new StatusError(409, `the message "${formatKey(key)}" changes all the time: look at it, and try again`);
}

/** Who will be mailed again. @throws StatusError 409 when that is nobody, with what to do instead */
function recipientsToRetry({ phase = "Pending", conditions }: NotificationMessage, key: MessageKey): object[] {
  const name = `the message "${formatKey(key)}"`;
  if (phase === "Done") throw new StatusError(409, `${name} is Done: everybody has the mail`);
  if (phase !== "Failed") {
    const why = conditions.find(({ status }) => status !== "True")?.message ?? "it has just been created";
    throw new StatusError(409, `${name} is ${phase} and is tried again by itself: ${why}`);
  }
  const undelivered = conditions.filter(({ status }) => status !== "True");
  // Only rows of tasks have a hash of their content; the others are refusals of what the message itself says.
  const failed = undelivered.filter(({ contentHash }) => contentHash !== undefined);
  if (failed.length === 0) {
    const why = undelivered.map(({ reason, message }) => `${reason}: ${message}`).join("; ");
    throw new StatusError(409, `${name} would be refused again, edit its spec instead: ${why}`);
  }
  return failed.map(({ notification, method, addresses, reason }) => ({ notification, method, addresses, reason }));
}

function keyOf({ params, query }: Request): MessageKey {
  const { namespace, name } = params;
  const { group = NOTIFICATION_MESSAGE.group } = query;
  for (const [what, value] of Object.entries({ namespace, name })) {
    if (typeof value === "string" && NAME.test(value)) continue;
    throw new StatusError(
      400,
      `the ${what} in the path is no name of Kubernetes: lower-case letters, digits, "-" and "."`,
    );
  }
  if (typeof group !== "string" || !GROUPS.includes(group)) {
    throw new StatusError(400, `group must be one of ${GROUPS.join(", ")}`);
  }
  return { group, namespace: String(namespace), name: String(name) };
}

/** A form of another site can send no JSON without asking first; and nothing is asked for in a body. */
function refuseBody(request: Request): void {
  const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers;
  if (length === "0" && encoding === undefined) return;
  if (!request.is("application/json")) throw new StatusError(415, "send no body, or application/json");
  if (JSON.stringify(request.body) !== "{}")
    throw new StatusError(400, "send no body, or {}: there is nothing to choose");
}

function refuseMethod(allow: string) {
  return (request: Request, response: Response) => {
    response.set("Allow", allow);
    sendStatus(response, 405, `${request.method} is not for this path, ${allow} is`);
  };
}

/** Aborts when the time of a request is over, or its client gone. */
function signalOf(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  return AbortSignal.any([gone.signal, AbortSignal.timeout(REQUEST_MS)]);
}

function tellError(logger: Logger): ErrorRequestHandler {
  return (error: Error & { code?: unknown; status?: unknown }, request, response, next) => {
    if (response.headersSent) return next(error);
    if (!(error instanceof StatusError) || error.cause !== undefined) {
      const cause = (error.cause ?? error) as Error;
      logger.warn({ path: request.path, error: cause.message }, "Cannot answer a request to the API");
    }
    const [code, message] = answerTo(error);
    if (code === 401) response.set("WWW-Authenticate", "Bearer");
    if (code === 503) response.set("Retry-After", "1");
    sendStatus(response, code, message);
  };
}

/** What the client is told of an error: of express' own (`status`), and of the API server's towards courier (`code`). */
function answerTo(error: Error & { code?: unknown; status?: unknown }): [StatusCode, string] {
  if (error instanceof StatusError) return [error.code, error.message];
  if (error.status === 413) return [413, `the body is larger than ${BODY_BYTES} bytes: send none`];
  if (typeof error.status === "number" && error.status < 500) return [400, "the request cannot be read: send no body"];
  if (error.code === 403)
    return [500, `courier itself lacks the right: apply deploy/api-access, or give it (${error.message})`];
  if (error.code === 404) return [404, `this cluster does not serve that kind: ${error.message}`];
  return [503, "the API server does not answer now, the log of courier-api says why: try again"];
}
