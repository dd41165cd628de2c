import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { badRequest, notFound } from "../protocol/api-error.ts";
import { count, flag } from "../protocol/request.ts";
import { subjectOf } from "../resources/resource.ts";
import type { Call } from "./scope.ts";

/** GET of a pod's log, as text, streamed. @throws ApiError 404 before the first byte */
export async function podLog({ state, resource, path, request }: Call, response: ServerResponse): Promise<void> {
  const pod = state.store.get(resource.collection, path);
  if (pod === undefined) throw notFound(subjectOf(resource, path.name));
  const { query, signal } = request;
  const container = query.get("container") ?? "";
  const lines = state.podLogs?.(
    { namespace: path.namespace, name: path.name },
    {
      follow: flag(query, "follow"),
      timestamps: flag(query, "timestamps"),
      ...(container === "" ? {} : { container }),
      ...optional("sinceSeconds", count(query, "sinceSeconds")),
      ...optional("tailLines", count(query, "tailLines")),
      ...optional("limitBytes", count(query, "limitBytes")),
    },
    signal,
  );
  if (lines === undefined)
    throw badRequest(`container "${container}" in pod "${path.name}" has no log: nothing runs it`);
  response.writeHead(200, { "content-type": "text/plain", "cache-control": "no-cache, private" });
  response.flushHeaders();
  for await (const piece of lines) {
    if (signal.aborted) break;
    if (!response.write(piece)) await once(response, "drain", { signal }).catch(() => undefined);
  }
  response.end();
}

function optional<Name extends string>(name: Name, value: number | undefined): Partial<Record<Name, number>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, number>);
}
