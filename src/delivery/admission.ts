/** What courier itself declines to mail, asked by reconcile.ts and send.ts before a mail is begun: domains and rates. */
import { type Rate, TokenBuckets } from "../control/token-buckets.ts";
import { matchesDomain } from "../resources/domain-pattern.ts";
import { formatDuration } from "./format-duration.ts";

export interface AdmissionRules {
  /** Domains that may be mailed, see {@link matchesDomain}; empty for all. */
  allowedRecipientDomains: readonly string[];
  /** Recipients mailed for the messages of one namespace; absent for no limit. */
  namespaceRate?: Rate;
  /** Mails to one address, whoever sends them; absent for no limit. */
  recipientRate?: Rate;
}

/** Recipients whose use is remembered: a flood of new ones forgets the oldest, and takes about 10 MiB at the most. */
const MAX_RECIPIENTS_KNOWN = 50_000;
const MAX_NAMESPACES_KNOWN = 10_000;
/** Domains of the list that a message shows. */
const DOMAINS_SHOWN = 5;
const AGAIN = "send it again then with the annotation courier.io/retry";

/** Why `address`, as parseRecipient gives it, is outside the domains that may be mailed; undefined where it is not. */
export function refuseDomain(address: string, patterns: readonly string[]): string | undefined {
  if (patterns.length === 0) return undefined;
  const at = address.lastIndexOf("@");
  const domain = address.slice(at + 1);
  if (!matchesDomain(domain, patterns)) {
    const more = patterns.length > DOMAINS_SHOWN ? ` and ${patterns.length - DOMAINS_SHOWN} more` : "";
    const shown = patterns.slice(0, DOMAINS_SHOWN).join(", ") + more;
    return `courier may not mail ${domain}: --allowed-recipient-domains has ${shown}; ask courier's operator to add it, ${AGAIN}`;
  }
  // "user%elsewhere" and "elsewhere!user" are routes: Postfix, for one, relays them on for clients that it trusts.
  if (/[%!]/.test(address.slice(0, at)))
    return `courier may not mail an address with % or ! before the @, which a server may route on to a domain that --allowed-recipient-domains does not have: give the address itself`;
  return undefined;
}

export interface AdmissionPorts {
  now(): number;
  /** Each replica counts for the messages of its own shards, and so has its share of each limit. */
  shards: { readonly share: number };
}

/** The allowances of namespaces and recipients, in this process's memory: a restart fills them. */
export class Admission {
  readonly #rules: AdmissionRules;
  readonly #ports: AdmissionPorts;
  readonly #namespaces: Allowance | undefined;
  readonly #recipients: Allowance | undefined;

  constructor(rules: AdmissionRules, ports: AdmissionPorts) {
    this.#rules = rules;
    this.#ports = ports;
    const { namespaceRate, recipientRate } = rules;
    this.#namespaces = namespaceRate && {
      what: `${formatRate(namespaceRate)} for messages of one namespace (--namespace-rate)`,
      buckets: new TokenBuckets(namespaceRate, MAX_NAMESPACES_KNOWN),
    };
    this.#recipients = recipientRate && {
      what: `${formatRate(recipientRate)} to one recipient (--recipient-rate)`,
      buckets: new TokenBuckets(recipientRate, MAX_RECIPIENTS_KNOWN),
    };
  }

  /** Why `address` is never mailed under the present rules; undefined where it may be. */
  refuse(address: string): string | undefined {
    return refuseDomain(address, this.#rules.allowedRecipientDomains);
  }

  /** Takes one mail to `address` out of the allowances; where one is used up, says which and until when. */
  take(namespace: string, address: string): string | undefined {
    const nowMs = this.#ports.now();
    const share = this.#share;
    const uses = this.#usesOf(namespace, address);
    for (const { allowance, key } of uses) {
      const waitMs = allowance.buckets.waitMs(key, nowMs, share);
      if (waitMs > 0) return explainLimit(allowance.what, nowMs + waitMs);
    }
    for (const { allowance, key } of uses) allowance.buckets.take(key, nowMs, share);
    return undefined;
  }

  /** What {@link take} took comes back: the mail was not sent. */
  giveBack(namespace: string, address: string): void {
    const nowMs = this.#ports.now();
    for (const { allowance, key } of this.#usesOf(namespace, address))
      allowance.buckets.giveBack(key, nowMs, this.#share);
  }

  /** Work in hand is finished after the last shard was given away. */
  get #share(): number {
    return this.#ports.shards.share || 1;
  }

  #usesOf(namespace: string, address: string): { allowance: Allowance; key: string }[] {
    return [
      // No server in use tells Ann@ from ann@, and a limit that does would be none.
      ...(this.#recipients ? [{ allowance: this.#recipients, key: address.normalize("NFC").toLowerCase() }] : []),
      ...(this.#namespaces ? [{ allowance: this.#namespaces, key: namespace }] : []),
    ];
  }
}

interface Allowance {
  /** The limit, for people. */
  what: string;
  buckets: TokenBuckets;
}

function explainLimit(what: string, freeAtMs: number): string {
  const freeAt = new Date(Math.ceil(freeAtMs / 1000) * 1000).toISOString().replace(".000Z", "Z");
  return `the limit of ${what} is used up, and takes the next at ${freeAt}: ${AGAIN}, or ask courier's operator for a higher limit`;
}

function formatRate({ count, periodMs }: Rate): string {
  return `${count} ${count === 1 ? "mail" : "mails"} in ${formatDuration(periodMs)}`;
}
