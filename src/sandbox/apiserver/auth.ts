import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** Who a token stands for. */
export interface User {
  username: string;
  groups: string[];
  uid?: string;
}

interface IssuedToken {
  user: User;
  expiresAt: number;
}

const MAX_ISSUED = 10_000;

/** Knows the server's own token and those it issued for ServiceAccounts. Nothing is authorized: a known token may do all. */
export class Authenticator {
  readonly #adminDigest: Buffer;
  readonly #issued = new Map<string, IssuedToken>();

  constructor(adminToken: string) {
    this.#adminDigest = digest(adminToken);
  }

  /** The user of an `Authorization` header, or undefined without one or with an unknown or expired token. */
  authenticate(header: string | undefined): User | undefined {
    const token = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
    return token === undefined ? undefined : this.userOf(token);
  }

  userOf(token: string): User | undefined {
    if (timingSafeEqual(digest(token), this.#adminDigest)) {
      return { username: "courier-sandbox-admin", groups: ["system:masters", "system:authenticated"] };
    }
    const issued = this.#issued.get(token);
    return issued !== undefined && issued.expiresAt > Date.now() ? issued.user : undefined;
  }

  /** A new token for a user, good for so many seconds. The oldest is dropped when there are too many. */
  issue(user: User, seconds: number): { token: string; expiresAt: Date } {
    const oldest = this.#issued.keys().next();
    if (this.#issued.size >= MAX_ISSUED && oldest.value !== undefined) this.#issued.delete(oldest.value);
    const token = newToken();
    const expiresAt = new Date(Date.now() + seconds * 1000);
    this.#issued.set(token, { user, expiresAt: expiresAt.getTime() });
    return { token, expiresAt };
  }
}

/** 256 random bits, as a URL may carry them. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
