import type { EmailServer } from "./email-server.ts";
import { openSmtpPool, type SmtpPool, type SmtpPoolOptions } from "./smtp-pool.ts";
import { throttlePool } from "./throttled-pool.ts";

/** One pool of connections for each server in use. */
export interface PoolCache {
  /** Runs `task` with the server's pool, which stays open at least that long. */
  use<T>(server: EmailServer, task: (pool: SmtpPool) => Promise<T>): Promise<T>;
  /** Waits for the tasks under way, then closes all pools; `use` rejects from now on. */
  close(): Promise<void>;
}

interface Entry {
  pool: SmtpPool;
  users: number;
  retired: boolean;
}

/** More pools than this at once are closed by force, oldest first: a Secret that changes by the second. */
const MAX_POOLS = 8;

/**
 * A cache in which a server that changed in any way is a new server. The pools of the others drain: mails under way
 * finish on the connection they have, then the pool is closed.
 */
export function createPoolCache(options: SmtpPoolOptions): PoolCache {
  const entries = new Map<string, Entry>();
  const keys = new WeakMap<EmailServer, string>();
  const idle = Promise.withResolvers<void>();
  let closed = false;

  /** Two servers that are equal in everything have the same. */
  function keyOf(server: EmailServer): string {
    let key = keys.get(server);
    if (key === undefined) {
      key = JSON.stringify(server);
      keys.set(server, key);
    }
    return key;
  }

  function drop(key: string, entry: Entry): void {
    if (entries.get(key) === entry) entries.delete(key);
    entry.pool.close();
    if (closed && entries.size === 0) idle.resolve();
  }

  function retire(key: string, entry: Entry): void {
    entry.retired = true;
    if (entry.users === 0) drop(key, entry);
  }

  function open(key: string, server: EmailServer): Entry {
    for (const [otherKey, other] of [...entries]) retire(otherKey, other);
    const [oldest] = entries;
    if (oldest !== undefined && entries.size >= MAX_POOLS) drop(...oldest);
    const entry: Entry = {
      pool: throttlePool(openSmtpPool(server, options), options.maxConnections, Date.now),
      users: 0,
      retired: false,
    };
    entries.set(key, entry);
    return entry;
  }

  return {
    async use(server, task) {
      if (closed) throw new Error("Cannot send mail: the mailer is closed");
      const key = keyOf(server);
      const entry = entries.get(key) ?? open(key, server);
      entry.users++;
      try {
        return await task(entry.pool);
      } finally {
        entry.users--;
        if (entry.retired && entry.users === 0) drop(key, entry);
      }
    },
    async close() {
      closed = true;
      for (const [key, entry] of [...entries]) retire(key, entry);
      if (entries.size > 0) await idle.promise;
    },
  };
}
