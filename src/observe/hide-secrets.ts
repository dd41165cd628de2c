/** Keys whose values never reach a line, at the top of a record or one level down. */
const SECRET_KEYS: ReadonlySet<string> = new Set([
  "password",
  "pass",
  "token",
  "clientSecret",
  "authorization",
  "auth",
]);
const HIDDEN = "[hidden]";

export function isSecretKey(key: string): boolean {
  return SECRET_KEYS.has(key);
}

/**
 * A record with "[hidden]" in the place of what is secret in it, or in one of its values; the record itself where nothing is. Pino's
 * own `redact` does the same, and with a wildcard in its paths triples what a line costs.
 */
export function hideSecrets(record: Record<string, unknown>): Record<string, unknown> {
  let shown = record;
  for (const [key, value] of Object.entries(record)) {
    const shownValue = isSecretKey(key) ? HIDDEN : hideIn(value);
    if (shownValue === value) continue;
    if (shown === record) shown = { ...record };
    shown[key] = shownValue;
  }
  return shown;
}

/** A value with what is secret at its top hidden. An error stays as it is: it is made a plain object first. */
export function hideIn(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Error) return value;
  const secret = Object.keys(value).filter(isSecretKey);
  return secret.length === 0 ? value : { ...value, ...Object.fromEntries(secret.map((key) => [key, HIDDEN])) };
}
