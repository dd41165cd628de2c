export interface BackoffOptions {
  firstMs: number;
  capMs: number;
}

/** Milliseconds to wait before attempt `attempt` + 1: doubled each time up to the cap, minus up to a quarter of jitter. */
export function backoffMs(
  attempt: number,
  { firstMs, capMs }: BackoffOptions,
  random: () => number = Math.random,
): number {
  const full = Math.min(capMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.max(firstMs, Math.round(full * (1 - random() / 4)));
}
