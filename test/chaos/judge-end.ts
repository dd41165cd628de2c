/** Every message has its end, the right one, and nobody who could be reached was left out. Pure. */
import { type Acceptances, inFlight } from "./in-flight.ts";
import type { End, Ledger, Transaction } from "./ledger.ts";
import type { Sample } from "./messages.ts";

/** What the judge of one message looks at. */
export interface Evidence {
  ledger: Ledger;
  acceptances: Acceptances;
  transactions: Transaction[];
}

export function judgeEnd(sample: Sample, evidence: Evidence): string[] {
  const { name } = sample;
  const { ends, waiting } = evidence.ledger;
  const end = ends.get(name);
  if (end === undefined) return [`${name}: has no end, and waits for ${waiting.get(name) ?? "its first attempt"}`];
  return end.end === "deleted" ? judgeDeleted(sample, end, evidence) : judgeFailed(sample, end, evidence);
}

function judgeDeleted({ name, tasks, invalid, refusal }: Sample, end: End, { acceptances }: Evidence): string[] {
  const addresses = tasks.flat();
  const lost = addresses.filter((address) => !acceptances.has(address));
  const wrong = [...invalid, ...(refusal === undefined ? [] : [refusal])];
  return [
    ...lost.map((address) => `${name}: was deleted, and ${address} never got its mail`),
    ...wrong.map((what) => `${name}: was deleted in spite of ${what}`),
    ...(end.unseen ? [] : judgeRecord(name, addresses, end)),
  ];
}

/** It must have been recorded as Done before. */
function judgeRecord(name: string, addresses: string[], end: End): string[] {
  if (end.phase !== "Done") return [`${name}: was deleted in phase "${end.phase}", before it was recorded as Done`];
  const reasons = reasonsOf(end);
  return addresses.flatMap((address) =>
    reasons.get(address) === "Delivered" ? [] : [`${name}: is Done, and its status does not tell of ${address}`],
  );
}

function judgeFailed(sample: Sample, end: End, evidence: Evidence): string[] {
  const { name, tasks, invalid, refusal } = sample;
  const reasons = reasonsOf(end);
  const untold = [...tasks.flat(), ...invalid].filter((address) => !reasons.has(address));
  const isTold = refusal === undefined || end.conditions.some(({ reason }) => reason === refusal);
  const wrong = [...reasons].filter(([address, reason]) => !isRight(sample, address, reason, evidence));
  return [
    ...untold.map((address) => `${name}: is Failed, and its status does not tell of ${address}`),
    ...(isTold ? [] : [`${name}: is Failed without the reason ${refusal}`]),
    ...wrong.map(([address, reason]) => `${name}: is Failed with ${reason} for ${address}, which is not what happened`),
  ];
}

function isRight({ invalid, tasks }: Sample, address: string, reason: string, evidence: Evidence): boolean {
  switch (reason) {
    case "Delivered":
      return evidence.acceptances.has(address);
    case "RecipientRejected":
      return invalid.includes(address) || [...evidence.ledger.refusalsOf(address)].some((code) => code >= 500);
    case "MailRejected": {
      const task = tasks.find((addresses) => addresses.includes(address)) ?? [];
      const ofTask = evidence.transactions.filter(({ to }) => to.some((one) => task.includes(one)));
      return ofTask.some(({ dot: { code = 0 } = {} }) => code >= 500); // final for the whole task
    }
    case "OutcomeUnknown":
      return countUnanswered(address, evidence) >= 2;
    default:
      return false;
  }
}

/** How often the final dot of a mail for `address` may have gone out without an answer coming back. */
function countUnanswered(address: string, { ledger, transactions }: Evidence): number {
  const survived = ledger.disturbances.filter(({ until }) => Number.isFinite(until));
  return transactions.filter((transaction) => {
    if (!transaction.to.includes(address)) return false;
    if (["vanished", "lost", "torn"].includes(transaction.dot?.answer ?? "")) return true;
    return survived.some((disturbance) => inFlight(ledger, [transaction], disturbance).length > 0);
  }).length;
}

function reasonsOf({ conditions }: End): Map<string, string> {
  return new Map(conditions.flatMap(({ addresses, reason }) => addresses.map((address) => [address, reason] as const)));
}
