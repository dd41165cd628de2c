/** Plays one phase: creates its messages, lets its faults happen, and waits until every message has its end. */
import { setTimeout as pause } from "node:timers/promises";
import { applyManifests } from "../../src/app/manifests.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { KubeError } from "../../src/kube/kube-error.ts";
import { NOTIFICATION_MESSAGE } from "../../src/resources/kinds.ts";
import { makeSamples, type Sample, templatesOf } from "./messages.ts";
import { holds } from "./observer.ts";
import type { Phase } from "./phases.ts";
import { Random } from "./random.ts";
import { CALM } from "./smtp-script.ts";
import type { Stage } from "./stage.ts";

const CREATORS = 8;
/** With nothing else to wait for, a message is tried again after this time at most. */
const SETTLE_MS = 120_000;
const STALLED_MS = 45_000;

/** What a phase took. */
export interface Played {
  seconds: number;
  requests: number;
}

export async function playPhase(stage: Stage, phase: Phase, long: boolean, signal: AbortSignal): Promise<Played> {
  const { name } = phase;
  const { ledger, changed, smtp, api, client } = stage;
  const random = new Random(stage.seed, name);
  const samples = makeSamples(name, long ? phase.messages.long : phase.messages.short, random);
  const templates = templatesOf(name);
  const startMs = performance.now();
  const requestsBefore = await api.requests();
  ledger.phase = name;
  for (const sample of samples) ledger.create(sample);
  await applyManifests(client, templates.before, signal);
  await smtp.setMode(phase.mode ?? CALM);

  let fed = Math.ceil((phase.begin ?? 1) * samples.length);
  const feed = (part: number) => {
    fed = Math.max(fed, Math.ceil(part * samples.length));
    changed.emit("change");
  };
  const mayCreate = (index: number) => holds(changed, () => index < fed, Number.POSITIVE_INFINITY, signal);
  const creating = createAll(stage, samples, mayCreate, signal);
  creating.catch(() => {}); // awaited below
  const reached = async (part: number) => {
    const goal = part * samples.length;
    await holds(changed, () => ledger.progressOf(name) >= goal, STALLED_MS, signal);
    signal.throwIfAborted();
  };
  await phase.play(stage, { random, long, feed, reached });
  feed(1);
  await creating;
  await smtp.setMode(CALM);
  await applyManifests(client, templates.mended, signal);
  await holds(changed, () => ledger.openIn(name).length === 0, SETTLE_MS, signal);
  await smtp.flush();
  return { seconds: (performance.now() - startMs) / 1000, requests: (await api.requests()) - requestsBefore };
}

async function createAll(
  { client, ledger }: Stage,
  samples: Sample[],
  mayCreate: (index: number) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const rest = samples.entries();
  const creator = async () => {
    for (const [index, { name, object }] of rest) {
      await mayCreate(index);
      await untilCreated(client, object, signal);
      ledger.confirm(name);
    }
  };
  await Promise.all(Array.from({ length: CREATORS }, creator));
}

/** The API server may be away just then; a creation whose answer was lost is one that is there already. */
async function untilCreated(client: KubeClient, object: Sample["object"], signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await client.create(NOTIFICATION_MESSAGE, object, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof KubeError && error.code === 409) return;
      if (!(error instanceof KubeError) || error.code === 422) throw error;
      await pause(250, undefined, { signal });
    }
  }
}
