/** What can be done to the parts of a stage. Each fault is told to the ledger, with the replicas that it concerns. */
import { setTimeout as pause } from "node:timers/promises";
import type { Disturbance } from "./ledger.ts";
import type { Reach } from "./network.ts";
import type { Replica } from "./replicas.ts";
import type { Stage } from "./stage.ts";

/** kill -9, and another process in its place after `awayMs`: the same Pod's, or a new Pod's. */
export async function killReplica(stage: Stage, replica: Replica, awayMs: number, newPod: boolean): Promise<void> {
  disturb(stage, `kill -9 ${replica.client}`, [replica]);
  await replica.kill();
  await pause(awayMs);
  await replica.start({ newPod });
}

/** SIGSTOP, and SIGCONT after `ms`. */
export async function pauseReplica(stage: Stage, replica: Replica, ms: number): Promise<void> {
  await during(stage, `SIGSTOP ${replica.client} for ${seconds(ms)}`, [replica], async () => {
    replica.pause();
    await pause(ms);
    return async () => replica.resume();
  });
}

/** Every packet between the replica and what it is to reach is dropped for `ms`. */
export async function cutReplica(stage: Stage, replica: Replica, reach: Reach, ms: number): Promise<void> {
  const { api, smtp, network } = stage;
  const ports = { api: [api.port], smtp: [smtp.port], all: [api.port, smtp.port] }[reach];
  const from = { api: "the API server", smtp: "the SMTP server", all: "both servers" }[reach];
  await during(stage, `${replica.client} cut from ${from} for ${seconds(ms)}`, [replica], async () => {
    await network.cut(replica.number, ports);
    await pause(ms);
    return () => network.mend(replica.number);
  });
}

/** kill -9 of kube-apiserver, which comes back after `awayMs` with all it had. */
export async function killApiServer(stage: Stage, awayMs: number): Promise<void> {
  const { api, replicas } = stage;
  await during(stage, `kill -9 kube-apiserver, back after ${seconds(awayMs)}`, replicas, async () => {
    await api.kill();
    await pause(awayMs);
    return () => api.restart();
  });
}

/** kube-apiserver holds all its connections and answers nothing for `ms`. */
export async function freezeApiServer(stage: Stage, ms: number): Promise<void> {
  const { api, replicas } = stage;
  await during(stage, `SIGSTOP kube-apiserver for ${seconds(ms)}`, replicas, async () => {
    api.freeze();
    await pause(ms);
    return () => api.thaw();
  });
}

/** The SMTP server closes its port and all connections for `ms`: what was under way is answered by nobody. */
export async function stopSmtpServer({ smtp }: Stage, ms: number): Promise<void> {
  await smtp.suspend();
  await pause(ms);
  await smtp.resume();
}

/** The replica of `among` that began most of the last mails. */
export function busiest({ replicas, ledger }: Stage, among: readonly Replica[] = replicas): Replica {
  const recent = [...ledger.transactions.values()].slice(-60);
  const counts = Map.groupBy(recent, ({ client }) => client);
  const busy = (replica: Replica) => counts.get(replica.client)?.length ?? 0;
  const [first, ...others] = among;
  if (first === undefined) throw new RangeError("Cannot choose among no replicas");
  return others.reduce((most, other) => (busy(other) > busy(most) ? other : most), first);
}

function disturb(stage: Stage, what: string, replicas: readonly Replica[]): Disturbance {
  const clients = replicas.map(({ client }) => client);
  const { ledger } = stage;
  const from = Date.now();
  const never = Number.POSITIVE_INFINITY;
  return ledger.disturb({ phase: ledger.phase, what, clients, from, curedFrom: never, until: never });
}

/** `happen` resolves with the cure when it is time for it. */
async function during(
  stage: Stage,
  what: string,
  replicas: readonly Replica[],
  happen: () => Promise<() => Promise<void>>,
): Promise<void> {
  const disturbance = disturb(stage, what, replicas);
  const cure = await happen();
  disturbance.curedFrom = Date.now();
  await cure();
  disturbance.until = Date.now();
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
