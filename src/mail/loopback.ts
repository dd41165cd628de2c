import { isIPv4 } from "node:net";

/** Whether `host` is this machine: what goes there crosses no network, so that it need not be encrypted. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  return address === "localhost" || address === "::1" || (isIPv4(address) && address.startsWith("127."));
}
