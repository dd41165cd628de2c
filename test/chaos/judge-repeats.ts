/** Nothing is sent twice without need, and a repeat can be recognised. Pure. */
import { type Acceptances, inFlight, isAccepted } from "./in-flight.ts";
import type { Disturbance, Ledger, Transaction } from "./ledger.ts";
import type { Sample } from "./messages.ts";

/** What was under way when a disturbance came. */
export interface Interrupted {
  disturbance: Disturbance;
  flying: Transaction[];
}

/** Of the mails that one recipient got, one is what it should get; each of the others needs an excuse. */
export function judgeRepeats(ledger: Ledger, acceptances: Acceptances, excused: ReadonlySet<Transaction>): string[] {
  return [...acceptances].flatMap(([address, taken]) => {
    const recordedAt = ledger.recordedAt.get(address) ?? Number.POSITIVE_INFINITY;
    const late = taken.find(({ beganAt }) => beganAt > recordedAt);
    if (late !== undefined) {
      const afterMs = late.beganAt - recordedAt;
      return [`${address}: sent again by ${late.client} ${afterMs} ms after its delivery was recorded`];
    }
    const without = taken.filter((transaction) => !excused.has(transaction));
    if (without.length < 2) return [];
    const by = without.map(({ client }) => client).join(", ");
    return [`${address}: sent ${taken.length} times, ${without.length} of them without a fault in between (by ${by})`];
  });
}

/** Between a final dot without an answer and its record: the status write, on a machine that is busy. */
const RECORD_MS = 2_000;

/** A mail whose final dot was not answered is tried once more, unless nobody can know of that. */
export function judgeUnanswered(ledger: Ledger, transactions: Transaction[]): string[] {
  const counts = new Map<string, number>();
  for (const transaction of transactions) {
    const { dot, to } = transaction;
    if (dot?.answer !== "lost" && dot?.answer !== "vanished") continue;
    const isUnrecorded = { ...transaction, dot: { ...dot, at: dot.at + RECORD_MS } };
    if (ledger.disturbances.some((one) => inFlight(ledger, [isUnrecorded], one).length > 0)) continue;
    for (const address of to) counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  return [...counts].flatMap(([address, count]) =>
    count > 2
      ? [`${address}: its final dot was not answered ${count} times, and it is to be tried once more at most`]
      : [],
  );
}

/** Every mail of a task has the task's Message-ID, and no other task has it. */
export function judgeMessageIds(acceptances: Acceptances, samples: Sample[]): string[] {
  const owners = new Map<string, string>();
  return samples.flatMap(({ name, tasks }) =>
    tasks.flatMap((addresses, index) => {
      const taken = addresses.flatMap((address) => acceptances.get(address) ?? []);
      const [id, ...others] = new Set(taken.map(({ dot }) => dot?.messageId ?? ""));
      const task = `${name} task ${index + 1}`;
      if (id === undefined) return [];
      if (others.length > 0) return [`${task}: was sent as ${[id, ...others].join(" and as ")}`];
      const owner = owners.get(id);
      owners.set(id, task);
      return owner === undefined ? [] : [`${task}: has the Message-ID of ${owner}`];
    }),
  );
}

/**
 * However long a disturbance lasts, what a replica sends without being able to record it is what was in its hands.
 * @param inHand mails that one replica may have in its hands
 */
export function judgeInHand({ disturbance, flying }: Interrupted, inHand: number): string[] {
  const { what, curedFrom } = disturbance;
  const unrecorded = flying.filter((transaction) => isAccepted(transaction) && transaction.beganAt < curedFrom);
  return [...Map.groupBy(unrecorded, ({ client }) => client)].flatMap(([client, mails]) =>
    mails.length > inHand ? [`${what}: ${client} sent ${mails.length} mails unrecorded, at most ${inHand} may be`] : [],
  );
}
