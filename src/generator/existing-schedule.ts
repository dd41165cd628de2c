import type { Policy, Rule } from "./rule-model.ts";

/** Which policies are to be applied to what exists: new and changed ones at once, all of them again after a while. */
export class ExistingSchedule {
  readonly #everyMs: number;
  readonly #applied = new Map<string, { version: string; at: number }>();

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Whether the policy is due at `nowMs`; it is not due again until it changes or the time is up. */
  take(policy: Policy, nowMs: number): boolean {
    if (!policy.rules.some(appliesToExisting)) return false;
    const key = `${policy.namespace}/${policy.name}`;
    const version = `${policy.uid}/${policy.generation}`;
    const known = this.#applied.get(key);
    if (known !== undefined && known.version === version && nowMs - known.at < this.#everyMs) return false;
    this.#applied.set(key, { version, at: nowMs });
    return true;
  }
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
