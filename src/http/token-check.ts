import { createHash } from "node:crypto";
import type { AccessReviewer, Action, ApiUser } from "./ports.ts";
import { StatusError } from "./status-answer.ts";

/** How long an answer of the API server is taken for true: a token that was revoked opens nothing for longer than this. */
const KNOWN_MS = 60_000;
/** One that was refused may be one that the API server has not heard of yet. */
const REFUSED_MS = 5_000;
const MAX_TOKENS = 1_000;
/** Of each sort: made-up tokens must not become as many requests to the API server at a time. */
const MAX_REVIEWS = 16;
const REVIEW_MS = 5_000;

type Sort = "authenticate" | "authorize";

interface Known {
  user: Promise<ApiUser | undefined>;
  until: number;
}

/**
 * Asks the API server for whom a token stands; remembers the answers by the token's hash, never the token. A flood of
 * made-up tokens neither has those that were taken forgotten nor keeps their users from being let in.
 */
export class TokenCheck {
  readonly #reviewer: AccessReviewer;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();
  /** Tokens that were refused, or are being asked about. */
  readonly #strangers = new Map<string, Known>();
  readonly #underWay: Record<Sort, number> = { authenticate: 0, authorize: 0 };

  constructor(reviewer: AccessReviewer, now: () => number = () => performance.now()) {
    this.#reviewer = reviewer;
    this.#now = now;
  }

  /** @throws StatusError 503 when the API server cannot be asked now */
  userOf(token: string): Promise<ApiUser | undefined> {
    const hash = createHash("sha256").update(token).digest("base64");
    const known = this.#known.get(hash) ?? this.#strangers.get(hash);
    if (known !== undefined && this.#now() < known.until) return known.user;
    const entry: Known = { user: this.#authenticate(token), until: this.#now() + KNOWN_MS };
    this.#known.delete(hash);
    remember(this.#strangers, hash, entry);
    entry.user.then(
      (user) => {
        if (user === undefined) {
          entry.until = this.#now() + REFUSED_MS;
          return;
        }
        this.#strangers.delete(hash);
        remember(this.#known, hash, entry);
      },
      () => this.#strangers.delete(hash),
    );
    return entry.user;
  }

  /** Whether `user` may do this; asked afresh each time. @throws StatusError 503 when the API server cannot be asked now */
  review(user: ApiUser, action: Action, signal: AbortSignal): Promise<{ allowed: boolean; reason: string }> {
    return this.#ask("authorize", () => this.#reviewer.authorize(user, action, signal));
  }

  /** Not the request's signal: who comes with the same token meanwhile waits for the same answer. */
  #authenticate(token: string): Promise<ApiUser | undefined> {
    return this.#ask("authenticate", () => this.#reviewer.authenticate(token, AbortSignal.timeout(REVIEW_MS)));
  }

  async #ask<Answer>(sort: Sort, review: () => Promise<Answer>): Promise<Answer> {
    if (this.#underWay[sort] >= MAX_REVIEWS)
      throw new StatusError(503, "too many requests are being checked: try again");
    this.#underWay[sort] += 1;
    try {
      return await review();
    } catch (cause) {
      // Whoever asks is nobody yet: what is wrong with the cluster is for the log.
      throw Object.assign(new StatusError(503, "the API server cannot check who you are now: try again"), { cause });
    } finally {
      this.#underWay[sort] -= 1;
    }
  }
}

/** Of more than can be kept the oldest is forgotten. */
function remember(tokens: Map<string, Known>, hash: string, entry: Known): void {
  tokens.delete(hash);
  tokens.set(hash, entry);
  const [oldest] = tokens.keys();
  if (tokens.size > MAX_TOKENS && oldest !== undefined) tokens.delete(oldest);
}
