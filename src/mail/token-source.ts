import type { Token } from "./token-request.ts";

/** The access token that all connections to one server share. */
export interface TokenSource {
  /** A token that is good for a while yet; `isFresh` where it was not there before this call. @throws TokenError */
  get(): Promise<{ value: string; isFresh: boolean }>;
  /** The mail server refused `value` before its time: the next call fetches another. */
  discard(value: string): void;
  /** The tokens that a server could still repeat. */
  readonly recent: readonly string[];
  /** Gives up what is being fetched. */
  close(): void;
}

/** A token is not used in its last minute, or in the last tenth of a short life. */
const SKEW_MS = 60_000;
const RECENT_TOKENS = 3;

/** Fetches a token when one is needed, once for all who ask meanwhile, and keeps it until shortly before its end. */
export function createTokenSource(fetch: (signal: AbortSignal) => Promise<Token>, now: () => number): TokenSource {
  const closing = new AbortController();
  let current: { value: string; untilMs: number } | undefined;
  let fetching: Promise<string> | undefined;
  let recent: string[] = [];

  async function renew(): Promise<string> {
    const { value, expiresInMs } = await fetch(closing.signal);
    current = { value, untilMs: now() + expiresInMs - Math.min(SKEW_MS, expiresInMs / 10) };
    recent = [value, ...recent].slice(0, RECENT_TOKENS);
    return value;
  }

  return {
    get recent() {
      return recent;
    },
    async get() {
      if (current !== undefined && now() < current.untilMs) return { value: current.value, isFresh: false };
      fetching ??= renew().finally(() => {
        fetching = undefined;
      });
      return { value: await fetching, isFresh: true };
    },
    discard(value) {
      if (current?.value === value) current = undefined;
    },
    close: () => closing.abort(new Error("the mailer is closed")),
  };
}
