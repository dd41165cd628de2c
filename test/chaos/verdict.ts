/** Judges a phase by its ledger: what was lost, repeated without need, or ended wrongly. Pure. */
import { acceptancesOf, inFlight, isAccepted } from "./in-flight.ts";
import { judgeEnd } from "./judge-end.ts";
import { judgeInHand, judgeMessageIds, judgeRepeats, judgeUnanswered } from "./judge-repeats.ts";
import type { Ledger, Transaction } from "./ledger.ts";
import type { Sample } from "./messages.ts";

export interface Verdict {
  /** One sentence for each thing that must not be. */
  violations: string[];
  created: number;
  /** Mails that the server took, repeats included; one for each transaction. */
  accepted: number;
  /** Recipients' mails beyond the first. */
  repeats: number;
  /** Recipients' mails that may have been repeated: in flight at a disturbance, or accepted with the answer lost. */
  allowed: number;
  /** Reason → recipients for whom a message ended Failed. */
  failed: Map<string, number>;
  disturbances: DisturbanceReport[];
}

export interface DisturbanceReport {
  what: string;
  /** Mails of its replicas that were begun and not yet recorded. */
  inFlight: number;
  /** Those of them that the server has taken and that it took again. */
  repeated: number;
}

/** @param inHand mails that one replica may have in its hands at a time */
export function judge(ledger: Ledger, phase: string, inHand: number): Verdict {
  const samples = [...ledger.samples.values()].filter((sample) => sample.phase === phase);
  const transactions = [...ledger.transactions.values()].filter((transaction) => isOf(ledger, phase, transaction));
  const acceptances = acceptancesOf(transactions);
  const interrupted = ledger.disturbances
    .filter((disturbance) => disturbance.phase === phase)
    .map((disturbance) => ({ disturbance, flying: inFlight(ledger, transactions, disturbance) }));
  const lost = transactions.filter(({ dot }) => dot?.answer === "lost");
  const excused = new Set([...lost, ...interrupted.flatMap(({ flying }) => flying)]);
  const isRepeated = (transaction: Transaction) =>
    isAccepted(transaction) && transaction.to.some((address) => (acceptances.get(address)?.length ?? 0) > 1);
  return {
    violations: [
      ...samples.flatMap((sample) => judgeEnd(sample, { ledger, acceptances, transactions })),
      ...judgeRepeats(ledger, acceptances, excused),
      ...judgeUnanswered(ledger, transactions),
      ...judgeMessageIds(acceptances, samples),
      ...interrupted.flatMap((each) => judgeInHand(each, inHand)),
    ],
    created: samples.length,
    accepted: transactions.filter(isAccepted).length,
    repeats: [...acceptances.values()].reduce((sum, taken) => sum + taken.length - 1, 0),
    allowed: [...excused].filter(isAccepted).reduce((sum, { to }) => sum + to.length, 0),
    failed: countFailures(ledger, samples),
    disturbances: interrupted.map(({ disturbance: { what }, flying }) => ({
      what,
      inFlight: flying.length,
      repeated: flying.filter(isRepeated).length,
    })),
  };
}

/** A mail belongs to the phase that created its message, however late it comes. */
function isOf(ledger: Ledger, phase: string, { to, phase: during }: Transaction): boolean {
  return (ledger.ownerOf(to[0] ?? "")?.phase ?? during) === phase;
}

function countFailures({ ends }: Ledger, samples: Sample[]): Map<string, number> {
  const failed = new Map<string, number>();
  for (const { name } of samples) {
    const end = ends.get(name);
    if (end?.end !== "failed") continue;
    for (const { reason, addresses } of end.conditions) {
      if (reason !== "Delivered") failed.set(reason, (failed.get(reason) ?? 0) + Math.max(1, addresses.length));
    }
  }
  return failed;
}
