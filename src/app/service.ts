/** What `serve` and `generate` have in common: a client, an HTTP port, a Lease, and a stop that has an end. */
import { setMaxListeners } from "node:events";
import type { Registry } from "prom-client";
import type { Address } from "../config/parse.ts";
import { createHttpApp } from "../http/app.ts";
import { listen } from "../http/listen.ts";
import type { KubeClient } from "../kube/client.ts";
import { type LeaseState, runWithLease } from "../kube/lease.ts";
import type { Logger } from "../observe/logger.ts";
import { Readiness } from "../observe/readiness.ts";

const NOT_STARTED = "the watches are not open yet";

export interface ServiceConfig {
  httpListen: Address;
  leaseName: string;
  leaseNamespace: string;
  identity: string;
  /** Milliseconds. */
  shutdownTimeout: number;
}

export interface ServiceParts {
  client: KubeClient;
  logger: Logger;
  metrics: { registry: Registry; leading(leads: boolean): void };
  /** What else has to be closed at the end. */
  close?(): Promise<void>;
}

/** What one stretch of leading is given. */
export interface Term {
  /** Lacks the part `start` until the term has opened its watches and says that it has it. */
  readiness: Readiness;
  /** Whether the Lease is still ours, asked before every effect. */
  isHeld(): boolean;
  /** Aborts when no more work is to be begun: what is under way may finish. */
  stop: AbortSignal;
  /** Aborts when everything has to end at once: the Lease is lost, or the shutdown timeout over. */
  abort: AbortSignal;
}

export interface Service {
  /** Where the HTTP server listens. */
  address: Address;
  readiness: Readiness;
  /** Settles when the service has ended; rejects when it ended by a bug. */
  done: Promise<void>;
  /** Stops taking work, waits for what is under way (at most the shutdown timeout), releases the Lease. */
  stop(): Promise<void>;
}

/** Starts a service that works while it leads and stands by otherwise. @throws Error when the HTTP port is taken */
export async function startService(
  config: ServiceConfig,
  parts: ServiceParts,
  lead: (term: Term) => Promise<void>,
): Promise<Service> {
  const { client, metrics } = parts;
  const [stopping, aborting] = [new AbortController(), new AbortController()];
  setMaxListeners(0, stopping.signal, aborting.signal);
  const readiness = new Readiness();
  readiness.lack("lease", "not asked for yet");
  readiness.lack("start", NOT_STARTED);
  const http = await listen(createHttpApp({ readiness, metrics: metrics.registry }), config.httpListen);
  const lease = { namespace: config.leaseNamespace, name: config.leaseName, identity: config.identity };
  const onState = leaseObserver(lease, readiness, parts);

  const run = async () => {
    try {
      await runWithLease(
        client,
        { ...lease, onState },
        (term) => {
          readiness.lack("start", NOT_STARTED);
          const lost = lossOf(term.signal, stopping.signal);
          const abort = AbortSignal.any([lost, aborting.signal]);
          const stop = AbortSignal.any([lost, stopping.signal]);
          return lead({ readiness, isHeld: term.isHeld, stop, abort }).finally(() => metrics.leading(false));
        },
        stopping.signal,
      );
    } finally {
      metrics.leading(false);
      await Promise.all([http.close(), client.close(), parts.close?.()]);
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

/** Tells readiness, metrics and log how the Lease stands; the same trouble is logged once until it changes. */
function leaseObserver(
  { namespace, name, identity }: { namespace: string; name: string; identity: string },
  readiness: Readiness,
  { logger, metrics }: ServiceParts,
): (state: LeaseState) => void {
  let trouble: string | undefined;
  return (state) => {
    if (state.phase === "retrying") {
      const error = state.error.message;
      readiness.lack("lease", error);
      if (error !== trouble)
        logger.warn({ lease: `${namespace}/${name}`, error }, "Cannot get the Lease, will try again");
      trouble = error;
      return;
    }
    trouble = undefined;
    readiness.have("lease");
    metrics.leading(state.phase === "leading");
    if (state.phase === "leading") {
      logger.info({ identity }, "Leading");
    } else {
      readiness.have("start");
      logger.info({ holder: state.holder }, "Standing by");
    }
  };
}

/** A term's signal aborts at a stop too, when the Lease is still ours; this one aborts at its loss alone. */
function lossOf(term: AbortSignal, stop: AbortSignal): AbortSignal {
  const lost = new AbortController();
  const tell = () => {
    if (!stop.aborted) lost.abort(term.reason);
  };
  if (term.aborted) tell();
  term.addEventListener("abort", tell, { once: true });
  return lost.signal;
}
