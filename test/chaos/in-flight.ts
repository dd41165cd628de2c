/** Which mails a disturbance may have torn from their record. Pure; the judges ask. */
import { type Disturbance, isAcceptance, type Ledger, type Transaction } from "./ledger.ts";

/** Recipient → the transactions in which the server took its mail, in order. */
export type Acceptances = ReadonlyMap<string, readonly Transaction[]>;

export function acceptancesOf(transactions: Transaction[]): Acceptances {
  const acceptances = new Map<string, Transaction[]>();
  for (const transaction of transactions) {
    if (!isAccepted(transaction)) continue;
    for (const address of transaction.to) {
      acceptances.set(address, [...(acceptances.get(address) ?? []), transaction]);
    }
  }
  return acceptances;
}

export function isAccepted({ dot }: Transaction): boolean {
  return dot !== undefined && isAcceptance(dot.answer);
}

/**
 * Mails that the disturbed replicas had begun and whose outcome was not recorded when it came, and those that they began
 * while it lasted and could not record: the messages were in their workers' hands. While the cure takes effect some can be
 * recorded already.
 */
export function inFlight(ledger: Ledger, transactions: Transaction[], disturbance: Disturbance): Transaction[] {
  const { clients, from, curedFrom, until } = disturbance;
  return transactions.filter((transaction) => {
    const { client, beganAt, dot, overAt = Number.POSITIVE_INFINITY } = transaction;
    if (!clients.includes(client) || beganAt >= until) return false;
    if (!isAccepted(transaction)) return (dot?.at ?? overAt) >= from;
    if (beganAt >= from && beganAt < curedFrom) return true;
    return isUnrecorded(ledger, transaction, beganAt < from ? from : until);
  });
}

/** Whether at `at` no status told yet of all recipients that they have this mail. */
function isUnrecorded({ recordedAt }: Ledger, { to }: Transaction, at: number): boolean {
  return to.some((address) => (recordedAt.get(address) ?? Number.POSITIVE_INFINITY) > at);
}
