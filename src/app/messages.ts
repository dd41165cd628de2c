import type { ServeConfig } from "../config/config.ts";
import type { KubeClient } from "../kube/client.ts";
import { createMessageStore } from "../kube/message-store.ts";

/** The messages of the cluster, asked within the namespaces that the rights are for. */
export function messagesOf({ allNamespaces, namespace: [first = ""] }: ServeConfig, client: KubeClient) {
  return createMessageStore(client, allNamespaces ? "" : first);
}
