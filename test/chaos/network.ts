/** A network namespace for each replica, so that its packets can be dropped without a word to either side. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whom a replica cannot reach any more. */
export type Reach = "api" | "smtp" | "all";

export interface Network {
  /** Where replicas find the API server and the SMTP server. */
  readonly host: string;
  /** What a replica's command line begins with. */
  prefix(replica: number): string[];
  /** Makes `port` of this machine's loopback reachable as `host:port`. */
  forward(port: number): Promise<void>;
  /** Drops every packet between the replica and `ports` of the host, both ways. */
  cut(replica: number, ports: number[]): Promise<void>;
  mend(replica: number): Promise<void>;
  close(): Promise<void>;
}

const TABLE = "courier-chaos-cut";

/** Why there can be no namespaces here; undefined when there can. Installs what is missing, where that is allowed. */
export async function namespacesMissing(): Promise<string | undefined> {
  if (process.platform !== "linux") return "network namespaces are Linux'";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  try {
    await Promise.all([run("ip", ["-V"]), run("nft", ["--version"])]);
  } catch {
    const installed = await install(["iproute2", "nftables"]);
    if (installed !== undefined) return installed;
  }
  const name = `courier-chaos-${process.pid}-try`;
  try {
    await run("ip", ["netns", "add", name]);
    await run("ip", ["netns", "exec", name, "nft", "add", "table", "inet", TABLE]);
    return undefined;
  } catch (error) {
    return `network namespaces are not permitted: ${(error as { stderr?: string }).stderr?.trim() ?? error}`;
  } finally {
    await run("ip", ["netns", "del", name]).catch(() => {});
  }
}

async function install(packages: string[]): Promise<string | undefined> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    await run("apt-get", ["update", "-qq"], { env });
    await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], { env });
    return undefined;
  } catch (error) {
    return `${packages.join(" and ")} cannot be installed: ${(error as Error).message.split("\n")[0]}`;
  }
}

/** Without namespaces: all on loopback, and nothing can be cut. */
export function loopbackNetwork(): Network {
  const cannot = () => Promise.reject(new Error("Cannot cut loopback"));
  return {
    host: "127.0.0.1",
    prefix: () => [],
    forward: () => Promise.resolve(),
    cut: cannot,
    mend: cannot,
    close: () => Promise.resolve(),
  };
}

/** One bridge on this machine, and behind it a namespace for each replica, numbered from 1. */
export async function createNamespaces(replicas: number): Promise<Network> {
  const mark = process.pid % 60_000;
  const bridge = `cz${mark}`;
  const forwards = `courier-chaos-${mark}`;
  // 198.18.0.0/15 is for tests between networks (RFC 2544), so that it is nobody's own.
  const subnet = `198.18.${mark % 256}`;
  const host = `${subnet}.1`;
  const nameOf = (replica: number) => `courier-chaos-${mark}-${replica}`;
  const inside = (replica: number, ...command: string[]) => run("ip", ["netns", "exec", nameOf(replica), ...command]);
  const mend = (replica: number) => inside(replica, "nft", "delete", "table", "inet", TABLE).catch(() => {});

  async function add(replica: number): Promise<void> {
    const [name, link] = [nameOf(replica), `${bridge}-${replica}`];
    await run("ip", ["netns", "add", name]);
    await run("ip", ["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name]);
    await run("ip", ["link", "set", link, "master", bridge, "up"]);
    await inside(replica, "ip", "address", "add", `${subnet}.${10 + replica}/24`, "dev", "eth0");
    await inside(replica, "ip", "link", "set", "eth0", "up");
    await inside(replica, "ip", "link", "set", "lo", "up");
  }

  await run("ip", ["link", "add", bridge, "type", "bridge"]);
  await run("ip", ["address", "add", `${host}/24`, "dev", bridge]);
  await run("ip", ["link", "set", bridge, "up"]);
  await run("sysctl", ["-q", "-w", `net.ipv4.conf.${bridge}.route_localnet=1`]);
  await run("nft", ["add", "table", "ip", forwards]);
  await run("nft", ["add", "chain", "ip", forwards, "in", "{ type nat hook prerouting priority dstnat; }"]);
  for (let replica = 1; replica <= replicas; replica++) await add(replica);

  return {
    host,
    prefix: (replica) => ["ip", "netns", "exec", nameOf(replica)],
    async forward(port) {
      const match = ["iifname", bridge, "ip", "daddr", host, "tcp", "dport", `${port}`];
      await run("nft", ["add", "rule", "ip", forwards, "in", ...match, "dnat", "to", "127.0.0.1"]);
    },
    async cut(replica, ports) {
      const set = `{ ${ports.join(", ")} }`;
      const rules = [
        `add table inet ${TABLE}`,
        `add chain inet ${TABLE} out { type filter hook output priority 0; }`,
        `add chain inet ${TABLE} in { type filter hook input priority 0; }`,
        `add rule inet ${TABLE} out tcp dport ${set} drop`,
        `add rule inet ${TABLE} in tcp sport ${set} drop`,
      ];
      await inside(replica, "nft", rules.join("; "));
    },
    mend: async (replica) => void (await mend(replica)),
    async close() {
      for (let replica = 1; replica <= replicas; replica++) await run("ip", ["netns", "del", nameOf(replica)]);
      await run("nft", ["delete", "table", "ip", forwards]);
      await run("ip", ["link", "del", bridge]);
    },
  };
}
