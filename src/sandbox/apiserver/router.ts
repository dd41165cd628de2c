import type { ServerResponse } from "node:http";
import { discover } from "./discovery/discovery.ts";
import { openApiV2 } from "./openapi/v2.ts";
import { openApiV3 } from "./openapi/v3.ts";
import { negotiate } from "./protocol/accept.ts";
import { type Answer, json, send, text } from "./protocol/answer.ts";
import { ApiError, methodNotAllowed, resourceNotFound } from "./protocol/api-error.ts";
import { readObject } from "./protocol/body.ts";
import { type ApiRequest, flag, parseResourcePath } from "./protocol/request.ts";
import type { ServerState } from "./server-state.ts";
import { type DeleteOptions, remove, removeCollection } from "./verbs/delete.ts";
import { podLog } from "./verbs/pod-log.ts";
import { get, list } from "./verbs/read.ts";
import { answerReview, findReview, requestToken } from "./verbs/reviews.ts";
import type { Call } from "./verbs/scope.ts";
import { watch } from "./verbs/watch.ts";
import { change, create, replace } from "./verbs/write.ts";

export const VERSION = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.0-courier",
  gitCommit: "0000000000000000000000000000000000000000",
  gitTreeState: "clean",
  buildDate: "2026-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "node",
  platform: "linux/amd64",
};

const HEALTH_PATHS = new Set(["healthz", "livez", "readyz"]);

/** Answers one authenticated request, or throws the refusal. */
export async function route(state: ServerState, request: ApiRequest, response: ServerResponse): Promise<void> {
  const answer = routeServer(state, request) ?? (await routeResource(state, request, response));
  if (answer !== undefined) send(response, answer, request.warnings);
}

/** What is about the server itself: health, version, discovery, schemas. */
function routeServer({ registry }: ServerState, { segments, headers, method }: ApiRequest): Answer | undefined {
  const [root = "", second = ""] = segments;
  const accept = headers.accept ?? "*/*";
  if (HEALTH_PATHS.has(root)) return text("ok");
  if (root === "version") return json(VERSION);
  if (root === "")
    return json({
      paths: ["/api", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"],
    });
  if (root === "openapi" && second === "v2") return openApiV2(registry, accept);
  if (root === "openapi" && second === "v3") return openApiV3(registry, segments.slice(2)) ?? pageNotFound();
  return method === "GET" ? discover(registry, segments, accept) : undefined;
}

function pageNotFound(): Answer {
  return text("404 page not found\n", 404);
}

async function routeResource(
  state: ServerState,
  request: ApiRequest,
  response: ServerResponse,
): Promise<Answer | undefined> {
  const watched = request.segments[2] === "watch" || request.segments[3] === "watch";
  const path = parseResourcePath(watched ? withoutWatch(request.segments) : request.segments);
  if (path === undefined) return pageNotFound();
  const review = findReview(path);
  if (review !== undefined) return answerReview(state, review, request);
  const resource = state.registry.find(path.group, path.version, path.plural);
  if (resource === undefined) {
    if (!state.registry.inGroupVersion(path.group, path.version).some(({ custom }) => !custom)) return pageNotFound();
    throw resourceNotFound();
  }
  const call: Call = { state, resource, path, request };
  if (resource.deprecation !== undefined) request.warnings.push(resource.deprecation);
  if (path.namespace !== "" && !resource.namespaced) throw resourceNotFound();
  if (path.subresource !== "" && path.subresource !== "status") return routeSubresource(call, response);
  if (path.subresource === "status" && !resource.hasStatus) throw resourceNotFound();
  if (resource.namespaced && path.namespace === "" && path.name !== "") throw resourceNotFound();
  const wantsWatch = watched || (flag(request.query, "watch") && path.subresource === "");
  if (request.method === "GET" && wantsWatch) {
    watch(call, response);
    return undefined;
  }
  return path.name === "" ? routeCollection(call) : routeObject(call);
}

/** The older form of a watch's path: `/api/v1/watch/…`. */
function withoutWatch(segments: readonly string[]): string[] {
  const at = segments.indexOf("watch");
  return segments.filter((_, index) => index !== at);
}

async function routeCollection(call: Call): Promise<Answer> {
  const { method } = call.request;
  if (method === "GET") return list(call);
  if (method === "POST" && !(call.resource.namespaced && call.path.namespace === "")) return create(call);
  if (method === "DELETE" && !(call.resource.namespaced && call.path.namespace === "")) {
    await readObject(call.request.message);
    return removeCollection(call);
  }
  throw methodNotAllowed();
}

async function routeObject(call: Call): Promise<Answer> {
  const { method } = call.request;
  if (method === "GET") return get(call);
  if (method === "PUT") return replace(call);
  if (method === "PATCH") return change(call);
  if (method === "DELETE" && call.path.subresource === "") return remove(call, await deleteOptions(call));
  throw methodNotAllowed();
}

async function deleteOptions({ request }: Call): Promise<DeleteOptions> {
  negotiate(request.headers.accept);
  const { preconditions, dryRun, propagationPolicy } = (await readObject(request.message)) ?? {};
  return {
    ...(typeof preconditions === "object" && preconditions !== null ? { preconditions } : {}),
    ...(Array.isArray(dryRun) ? { dryRun } : {}),
    propagationPolicy,
  };
}

async function routeSubresource(call: Call, response: ServerResponse): Promise<Answer | undefined> {
  const { state, path, request } = call;
  const what = path.group === "" ? `${path.plural}/${path.subresource}` : "";
  if (what === "serviceaccounts/token") return requestToken(state, path, request);
  if (what === "pods/log") {
    if (request.method !== "GET") throw methodNotAllowed();
    await podLog(call, response);
    return undefined;
  }
  if (what === "namespaces/finalize" && request.method === "PUT") {
    throw new ApiError({
      code: 405,
      reason: "MethodNotAllowed",
      message: "the sandbox empties namespaces itself",
      details: {},
    });
  }
  throw resourceNotFound();
}
