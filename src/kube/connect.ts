import type { KubeClient } from "./client.ts";
import { type AccessOptions, loadClusterAccess } from "./cluster-access.ts";
import { type ParseJson, RestClient } from "./rest-client.ts";
import { Session } from "./session.ts";
import { Transport } from "./transport.ts";

/** Enough for 64 writes in flight on one API server (measured); watches have connections of their own. */
const MAX_CONNECTIONS = 32;

export interface ConnectOptions extends AccessOptions {
  /** Connections for everything but watches; 32 when absent. */
  maxConnections?: number;
  /** Decodes JSON bodies; JSON.parse when absent. */
  parse?: ParseJson;
}

/**
 * A client for the cluster that the options name; inside a pod and without options, its own cluster.
 * No request is made yet, so it succeeds while the API server is away.
 * @throws KubeError with reason ConfigInvalid or CredentialsUnavailable
 */
export async function connect(options: ConnectOptions = {}): Promise<KubeClient> {
  const access = await loadClusterAccess(options);
  const session = new Session(access, options.maxConnections ?? MAX_CONNECTIONS);
  await session.line(); // a missing token file or proxy is told now, not at the first message
  return new RestClient(new Transport(access.server, session), session, options.parse ?? JSON.parse);
}
