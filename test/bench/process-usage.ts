/** What the operating system knows of a process; Linux alone. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const TICKS_PER_SECOND = 100; // sysconf(_SC_CLK_TCK), which is 100 on every Linux that Node runs on

/** CPU seconds that a process has used so far, in user and kernel mode; those of its threads included. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may hold anything
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory in MiB: now, and at its highest. */
export function residentMemory(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) / 1024;
  return { now: mebibytes("VmRSS"), peak: mebibytes("VmHWM") };
}

/** The process that listens on a TCP port of this machine, if it may be seen. */
export function processListeningOn(port: number): number | undefined {
  const inode = listenerInode(port);
  if (inode === undefined) return undefined;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (socketsOf(pid).has(`socket:[${inode}]`)) return Number(pid);
  }
  return undefined;
}

function listenerInode(port: number): string | undefined {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = ["tcp", "tcp6"].flatMap((file) => readFileSync(`/proc/net/${file}`, "utf8").split("\n").slice(1));
  const fields = lines.map((line) => line.trim().split(/\s+/));
  return fields.find(([, local = "", , state]) => local.endsWith(`:${wanted}`) && state === "0A")?.[9];
}

function socketsOf(pid: string): Set<string> {
  const directory = `/proc/${pid}/fd`;
  try {
    return new Set(readdirSync(directory).map((fd) => readlinkSync(`${directory}/${fd}`)));
  } catch {
    return new Set(); // another user's, or gone meanwhile
  }
}
