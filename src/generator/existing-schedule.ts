import type { Policy, Rule } from "./rule-model.ts";

/** Which policies are to be applied to what exists, and to what they made: new and changed ones at once, all of them again after a while. */
export class ExistingSchedule {
  readonly #everyMs: number;
  readonly #applied = new Map<string, { version: string; at: number }>();

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Whether the policy is due at `nowMs`; it is not due again until it changes or the time is up. */
  take(policy: Policy, nowMs: number): boolean {
    const hasExisting = policy.rules.some(appliesToExisting);
    if (!hasExisting && !policy.rules.some(isRewritten)) return false;
    const key = `${policy.namespace}/${policy.name}`;
    const version = `${policy.uid}/${policy.generation}`;
    const known = this.#applied.get(key);
    const isNew = known?.version !== version;
    if (!isNew && nowMs - known.at < this.#everyMs) return false;
    this.#applied.set(key, { version, at: nowMs });
    return hasExisting || !isNew; // what a new rule has made is written again by itself
  }
}

/** Whether what a rule made is written again every now and then, though nothing has happened to it. */
export function isRewritten({ synchronize, generate }: Rule): boolean {
  return synchronize && generate.every(({ content }) => content.type === "data");
}

/** Whether a rule generates for what exists. One that asks for a user cannot: there is none. */
export function appliesToExisting(rule: Rule): boolean {
  return rule.generateExisting && !usesRequester(rule);
}

const REQUESTER = /\{\{[^}]*(serviceAccountName|request\.(userInfo|roles|clusterRoles))/;

/** Whether expressions of the rule ask who made the request. */
export function usesRequester({ context, preconditions, generate }: Rule): boolean {
  return REQUESTER.test(JSON.stringify([context, preconditions, generate]));
}
