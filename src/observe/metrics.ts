import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Seconds from creation to consumption; sub-second for the idle case, Alertmanager's steps above. */
const DURATION_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 15, 20, 60, 300];

export interface MetricsOptions {
  version: string;
  /** The closed set of reasons: every one of them is there, at zero, from the start. */
  reasons: readonly string[];
  /** Read when the metrics are scraped. */
  load(): { queued: number; active: number };
}

/** The Prometheus metrics of one process in a registry of their own; no label ever holds an address or a name. */
export function createMetrics({ version, reasons, load }: MetricsOptions) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
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
    help: "Attempts for one recipient that did not deliver, by reason",
    labelNames: ["method", "reason"],
    registers,
  });
  const duration = new Histogram({
    name: "courier_delivery_duration_seconds",
    help: "Time from a message's creation to its end",
    buckets: DURATION_BUCKETS,
    registers,
  });
  const leader = new Gauge({ name: "courier_leader", help: "1 while this replica holds the Lease", registers });
  gauge("courier_queue_depth", "Messages that wait for a worker", () => load().queued);
  gauge("courier_messages_in_flight", "Messages being worked on", () => load().active);
  const info = new Gauge({ name: "courier_build_info", help: "Always 1", labelNames: ["version", "node"], registers });

  info.set({ version, node: process.version }, 1);
  leader.set(0);
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
    leading: (leads: boolean) => leader.set(leads ? 1 : 0),
    attempted(method: string, reason: string, delivered: boolean): void {
      attempts.inc({ method });
      if (!delivered) failures.inc({ method, reason });
    },
    finished(outcome: "Done" | "Failed", seconds: number): void {
      deliveries.inc({ outcome });
      duration.observe(seconds);
    },
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
