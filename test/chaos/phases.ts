/** What is done while messages go through, a phase each. Every choice comes from the phase's own random numbers. */
import { setTimeout as pause } from "node:timers/promises";
import {
  busiest,
  cutReplica,
  freezeApiServer,
  killApiServer,
  killReplica,
  pauseReplica,
  stopSmtpServer,
} from "./faults.ts";
import type { Random } from "./random.ts";
import type { Replica } from "./replicas.ts";
import { CALM, type SmtpMode } from "./smtp-script.ts";
import { SMTP_TIMEOUT_MS, type Stage, TAKEN_OVER_MS } from "./stage.ts";

/** A phase under way. */
export interface Run {
  random: Random;
  /** Whether this is the long run, with every fault more than once. */
  long: boolean;
  /** Lets messages be created up to this part of the phase's. */
  feed(part: number): void;
  /** Resolves when this part of the phase's messages was mailed or has ended; after a while in any case. */
  reached(part: number): Promise<void>;
}

export interface Phase {
  name: string;
  /** Messages in the long run and in the short one. */
  messages: { long: number; short: number };
  /** The part of them that is created from the beginning; all when absent. */
  begin?: number;
  /** How the SMTP server behaves from the beginning. */
  mode?: SmtpMode;
  needsCuts?: true;
  play(stage: Stage, run: Run): Promise<void>;
}

/** Slow enough that a fault meets mails under way. */
const BUSY: SmtpMode = { ...CALM, delayMs: [5, 60] };
const HOUR_MS = 3_600_000;

export const PHASES: readonly Phase[] = [
  {
    name: "calm",
    messages: { long: 150, short: 40 },
    play: () => Promise.resolve(),
  },
  {
    name: "rolling",
    messages: { long: 150, short: 45 },
    begin: 0.4,
    mode: BUSY,
    async play({ replicas }, { feed, reached }) {
      for (const replica of replicas) {
        await reached(0.3 * replica.number - 0.1);
        feed(0.3 * replica.number + 0.4);
        await replica.stop();
        await replica.start({ newPod: true });
      }
    },
  },
  {
    name: "kill",
    messages: { long: 550, short: 100 },
    begin: 0.4,
    mode: BUSY,
    async play(stage, { random, long, feed, reached }) {
      const back = new Set<Promise<void>>();
      const kill = async (victim: Replica) => {
        const returned = killReplica(stage, victim, random.integer(50, 1500), random.next() < 0.4);
        back.add(returned);
        await returned.finally(() => back.delete(returned));
      };
      const parts = random.points(long ? 10 : 3, 0.05, 0.85);
      const killing = parts.map((part) => ({ part, any: random.next() < 0.3, afterMs: random.integer(0, 100) }));
      for (const { part, any, afterMs } of killing) {
        await reached(part);
        feed(part + 0.4);
        await pause(afterMs);
        while (stage.replicas.every(({ isAlive }) => !isAlive)) await Promise.race(back);
        const alive = stage.replicas.filter(({ isAlive }) => isAlive);
        void kill(any ? random.pick(alive) : busiest(stage, alive));
      }
      await Promise.all(back);
    },
  },
  {
    name: "paused",
    messages: { long: 200, short: 70 },
    begin: 0.5,
    mode: BUSY,
    async play(stage, { random, long, feed, reached }) {
      for (const part of long ? [0.1, 0.55] : [0.1]) {
        await reached(part + random.next() * 0.15);
        await pauseReplica(stage, busiest(stage), TAKEN_OVER_MS + random.integer(0, 3000));
        feed(1);
      }
    },
  },
  {
    name: "api-server",
    messages: { long: 250, short: 70 },
    begin: 0.5,
    mode: BUSY,
    async play(stage, { random, long, feed, reached }) {
      await reached(0.05 + random.next() * 0.1);
      await killApiServer(stage, random.integer(1000, 4000));
      feed(long ? 0.7 : 1);
      await reached(0.5 + random.next() * 0.1);
      await freezeApiServer(stage, random.integer(2000, 5000));
      if (!long) return;
      feed(0.85);
      await reached(0.72);
      await killApiServer(stage, TAKEN_OVER_MS);
      feed(1);
      await reached(0.88);
      await freezeApiServer(stage, TAKEN_OVER_MS);
    },
  },
  {
    name: "smtp-away",
    messages: { long: 150, short: 40 },
    begin: 0.5,
    mode: BUSY,
    async play(stage, { random, long, feed, reached }) {
      for (const part of long ? [0.1, 0.3] : [0.2]) {
        await reached(part + random.next() * 0.1);
        await stopSmtpServer(stage, random.integer(1000, 4000));
      }
      feed(1);
      await reached(0.6);
      await stage.smtp.setMode({ delayMs: [50, 300], tooSlowMs: SMTP_TIMEOUT_MS + 1500, faults: { "too-slow": 0.1 } });
      await reached(0.85);
    },
  },
  {
    name: "replies",
    messages: { long: 200, short: 50 },
    mode: {
      ...BUSY,
      faults: {
        "greeting-421": 0.03,
        "sender-421": 0.05,
        "sender-451": 0.05,
        "recipient-451": 0.1,
        "recipient-550": 0.04,
        "mail-451": 0.1,
        "mail-554": 0.04,
      },
    },
    play: (_stage, { reached }) => reached(0.85),
  },
  {
    name: "drops",
    messages: { long: 150, short: 50 },
    mode: { ...BUSY, faults: { "drop-before-dot": 0.1, "drop-after-dot": 0.12, "lose-answer": 0.12 } },
    play: (_stage, { reached }) => reached(0.85),
  },
  {
    name: "cut",
    messages: { long: 150, short: 60 },
    begin: 0.33,
    mode: BUSY,
    needsCuts: true,
    async play(stage, { random, long, feed, reached }) {
      await reached(0.05 + random.next() * 0.1);
      await cutReplica(stage, busiest(stage), "all", TAKEN_OVER_MS);
      feed(0.66);
      await reached(0.4);
      await cutReplica(stage, busiest(stage), "smtp", SMTP_TIMEOUT_MS + random.integer(0, 2000));
      feed(1);
      await reached(0.7);
      await cutReplica(stage, busiest(stage), "api", long ? TAKEN_OVER_MS : random.integer(2000, 5000));
    },
  },
  {
    name: "clock",
    messages: { long: 50, short: 20 },
    async play({ replicas }, { random }) {
      const [wrong, ...right] = replicas;
      await Promise.all(replicas.map((replica) => replica.stop()));
      await wrong?.start({ clockMs: random.next() < 0.5 ? -HOUR_MS : HOUR_MS });
      await Promise.all(right.map((replica) => replica.start()));
    },
  },
];
