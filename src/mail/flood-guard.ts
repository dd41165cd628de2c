import type { Socket } from "node:net";

/** What nodemailer's pool holds, as much as is looked at here: not public, and passed over if it ever moves. */
interface Resources {
  _connections?: { connection?: { _socket?: Socket | false; _responseQueue?: string[] } }[];
}

const LOOK_EVERY_MS = 100;
/**
 * A server answers a mail with some hundred bytes; even 1,000 mails a second over one connection stay below this. What it
 * sends between two looks may come at once.
 */
const MAX_BYTES_PER_SECOND = 1024 * 1024;
const MAX_BURST_BYTES = 256 * 1024;

/**
 * Ends the connections of a server that sends more than anybody can read. nodemailer bounds a reply, but takes empty lines
 * without end, a turn of the event loop each, and queues what it cannot take.
 */
export function guardAgainstFloods(pool: object): { stop(): void } {
  const read = new WeakMap<Socket, number>();
  let lookedAt = performance.now();
  const look = () => {
    const now = performance.now();
    const allowed = Math.max(MAX_BURST_BYTES, ((now - lookedAt) / 1000) * MAX_BYTES_PER_SECOND);
    lookedAt = now;
    for (const { connection } of (pool as Resources)._connections ?? []) {
      const socket = connection?._socket;
      if (!socket) continue;
      const { bytesRead } = socket;
      const isFlood = bytesRead - (read.get(socket) ?? 0) > allowed;
      read.set(socket, bytesRead);
      if (!isFlood) continue;
      socket.destroy(new Error("the server sends without end"));
      connection._responseQueue?.splice(0); // else each line of it would still be looked at
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return { stop: () => clearInterval(timer) };
}
