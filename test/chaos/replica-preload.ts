/**
 * Imported into a replica's process before courier: gives it a host name of its own, by which the SMTP server tells the
 * replicas and their incarnations apart, and a wall clock that is wrong by CHAOS_CLOCK_MS. The monotonic clock and the
 * timers stay right, as they do on a machine whose clock is wrong; libfaketime cannot be told that of all of Node's.
 */
import os from "node:os";

const name = process.env["CHAOS_HOSTNAME"] ?? "";
const offsetMs = Number(process.env["CHAOS_CLOCK_MS"] ?? 0);

if (name !== "") os.hostname = () => name;

if (offsetMs !== 0) {
  const Right = Date;
  const now = () => Right.now() + offsetMs;
  globalThis.Date = new Proxy(Right, {
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    apply: () => new Right(now()).toString(),
    get: (target, property, receiver) => (property === "now" ? now : Reflect.get(target, property, receiver)),
  });
}
