import type { ServeConfig } from "../config/config.ts";
import type { ApiPorts } from "../http/api.ts";
import { isLoopback } from "../http/guard.ts";
import type { ApiGuard } from "../http/ports.ts";
import { createAccessReviewer } from "../kube/access-review.ts";
import type { KubeClient } from "../kube/client.ts";
import type { Logger } from "../observe/logger.ts";
import { messagesOf } from "./messages.ts";

/** What `/api/v1` of courier-api works with, as the configuration has it. */
export function apiFor(config: ServeConfig, client: KubeClient, logger: Logger): ApiPorts {
  return { messages: messagesOf(config, client), guard: guardFor(config, client), logger };
}

function guardFor({ apiAuth, httpListen: { host, port } }: ServeConfig, client: KubeClient): ApiGuard {
  if (apiAuth) return { kind: "tokens", reviewer: createAccessReviewer(client) };
  if (isLoopback(host)) return { kind: "loopback" };
  const why = `courier listens on ${host}:${port}, which others than this machine can reach, and checks no tokens`;
  return { kind: "refused", why: `${why}: set --api-auth (docs/api.md), or --http-listen to 127.0.0.1:${port}` };
}
