import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Seconds from creation to consumption; sub-second for the idle case, Alertmanager's steps above. */
const DURATION_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 15, 20, 60, 300];

export interface MetricsOptions {
  version: string;
  /** The closed set of reasons: every one of them is there, at zero, from the start. */
  reasons: readonly string[];
  /** Read when the metrics are scraped; undefined while this process does not work on messages. */
  load(): DeliveryLoad | undefined;
}

export interface DeliveryLoad {
  queued: number;
  active: number;
  failed: number;
  /** Reason → messages that wait because of it. */
  waiting: ReadonlyMap<string, number>;
  oldestPendingMs: number | undefined;
}

/** Node wakes up so often to see how late the event loop is; at prom-client's 10 ms that is half of what idling costs. */
const LAG_PRECISION_MS = 100;

/** What prom-client knows of this process and its Node. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_PRECISION_MS });
}

/** The Prometheus metrics of one process in a registry of their own; no label ever holds an address or a name. */
export function createMetrics({ version, reasons, load }: MetricsOptions) {
  const registry = new Registry();
  const registers = [registry];
  collectProcessMetrics(registry);
  const received = new Counter({
    name: "courier_messages_received_total",
    help: "NotificationMessages seen for the first time",
    registers,
  });
  const attempts = new Counter({
    name: "courier_delivery_attempts_total",
    help: "Attempts to deliver to one recipient",
    labelNames: ["method"],
    registers,
  });
  const deliveries = new Counter({
    name: "courier_deliveries_total",
    help: "Messages that came to their end, by phase",
    labelNames: ["outcome"],
    registers,
  });
  const failures = new Counter({
    name: "courier_delivery_failures_total",
    help: "Attempts for one recipient that did not deliver, and messages that stopped before one, by reason",
    labelNames: ["method", "reason"],
    registers,
  });
  const duration = new Histogram({
    name: "courier_delivery_duration_seconds",
    help: "Time from a message's creation to its end",
    buckets: DURATION_BUCKETS,
    registers,
  });
  const lastSuccess = new Gauge({
    name: "courier_last_delivery_timestamp_seconds",
    help: "Unix time at which a mail was last accepted; 0 when none was",
    registers,
  });
  const shards = new Gauge({ name: "courier_shards_held", help: "Shards that this replica works on", registers });
  const tlsUnverified = new Gauge({
    name: "courier_smtp_tls_unverified",
    help: "1 while the mail server's certificate is not verified",
    registers,
  });
  gauge("courier_queue_depth", "Messages that wait for a worker", () => load()?.queued ?? 0);
  gauge("courier_messages_in_flight", "Messages being worked on", () => load()?.active ?? 0);
  gauge("courier_dead_letters", "Failed messages that are kept for people to read", () => load()?.failed ?? 0);
  gauge("courier_oldest_pending_age_seconds", "Age of the oldest message that is not at its end; 0 without any", () => {
    const since = load()?.oldestPendingMs;
    return since === undefined ? 0 : Math.max(0, (Date.now() - since) / 1000);
  });
  new Gauge({
    name: "courier_messages_waiting",
    help: "Messages that wait to be tried again, by reason",
    labelNames: ["reason"],
    registers,
    collect() {
      const waiting = load()?.waiting;
      for (const reason of reasons) this.set({ reason }, waiting?.get(reason) ?? 0);
    },
  });
  const info = new Gauge({ name: "courier_build_info", help: "Always 1", labelNames: ["version", "node"], registers });

  info.set({ version, node: process.version }, 1);
  shards.set(0);
  attempts.inc({ method: "Email" }, 0);
  for (const outcome of ["Done", "Failed"]) deliveries.inc({ outcome }, 0);
  for (const reason of reasons) failures.inc({ method: "Email", reason }, 0);

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }

  return {
    registry,
    received: () => received.inc(),
    tlsUnverified: (isUnverified: boolean) => tlsUnverified.set(isUnverified ? 1 : 0),
    shards: (held: number) => shards.set(held),
    attempted(method: string, reason: string): void {
      attempts.inc({ method });
      if (reason === "Delivered") lastSuccess.set(Date.now() / 1000);
      else failures.inc({ method, reason });
    },
    /** A message waits or fails before any mail. The method is a tenant's word, and no label may grow without bound. */
    stopped: (method: string, reason: string) =>
      failures.inc({ method: method === "Email" ? method : "other", reason }),
    finished(outcome: "Done" | "Failed", seconds: number): void {
      deliveries.inc({ outcome });
      duration.observe(seconds);
    },
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
