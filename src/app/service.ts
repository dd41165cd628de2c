/** What `serve` and `generate` have in common: a client, an HTTP port, and a stop that has an end. */
import { setMaxListeners } from "node:events";
import type { Registry } from "prom-client";
import type { Address } from "../config/parse.ts";
import type { ApiPorts } from "../http/api.ts";
import { createHttpApp } from "../http/app.ts";
import { listen } from "../http/listen.ts";
import type { KubeClient } from "../kube/client.ts";
import { Readiness } from "../observe/readiness.ts";

export interface ServiceConfig {
  httpListen: Address;
  /** Milliseconds. */
  shutdownTimeout: number;
}

export interface ServiceParts {
  client: KubeClient;
  registry: Registry;
  /** What the HTTP server answers beside health and metrics. */
  api?: ApiPorts;
  /** What else has to be closed at the end. */
  close?(): Promise<void>;
}

/** What the work of a service is given. */
export interface Work {
  /** Lacks the parts `lease` and `start` until the work says that it has them. */
  readiness: Readiness;
  /** Aborts when no more work is to be begun: what is under way may finish. */
  stop: AbortSignal;
  /** Aborts when everything has to end at once: the shutdown timeout is over. */
  abort: AbortSignal;
}

export interface Service {
  /** Where the HTTP server listens. */
  address: Address;
  readiness: Readiness;
  /** Settles when the service has ended; rejects when it ended by a bug. */
  done: Promise<void>;
  /** Stops taking work, waits for what is under way (at most the shutdown timeout), releases the Leases. */
  stop(): Promise<void>;
}

/** Starts a service that does `work` until it is stopped. @throws Error when the HTTP port is taken */
export async function startService(
  config: ServiceConfig,
  { client, registry, api, close }: ServiceParts,
  work: (given: Work) => Promise<void>,
): Promise<Service> {
  const [stopping, aborting] = [new AbortController(), new AbortController()];
  setMaxListeners(0, stopping.signal, aborting.signal);
  const readiness = new Readiness();
  readiness.lack("lease", "not asked for yet");
  readiness.lack("start", "the watches are not open yet");
  const http = await listen(createHttpApp({ readiness, metrics: registry, ...(api && { api }) }), config.httpListen);

  const run = async () => {
    try {
      await work({ readiness, stop: stopping.signal, abort: aborting.signal });
    } finally {
      await Promise.all([http.close(), client.close(), close?.()]);
    }
  };
  const done = run();
  done.catch(() => undefined); // whoever awaits `done` or `stop` is told

  return {
    address: { host: http.host, port: http.port },
    readiness,
    done,
    async stop() {
      stopping.abort(new Error("stopping"));
      const timer = setTimeout(() => aborting.abort(new Error("the shutdown timeout is over")), config.shutdownTimeout);
      await done.finally(() => clearTimeout(timer));
    },
  };
}
