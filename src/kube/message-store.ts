import type { MessageKey, Messages } from "../delivery/ports.ts";
import type { MessageAccess } from "../http/ports.ts";
import { LEGACY_NOTIFICATION_MESSAGE, NOTIFICATION_MESSAGE, type ResourceType } from "../resources/kinds.ts";
import type { KubeClient } from "./client.ts";
import { isAbsent, KubeError } from "./kube-error.ts";

/** The kinds that are NotificationMessages: today's group, and that of older installations. */
export const MESSAGE_TYPES: readonly ResourceType[] = [NOTIFICATION_MESSAGE, LEGACY_NOTIFICATION_MESSAGE];

/**
 * Delivery's and the HTTP API's port to the NotificationMessages of a cluster; `namespace` is one that may be listed, ""
 * for all.
 */
export function createMessageStore(client: KubeClient, namespace: string): Messages & MessageAccess {
  return {
    get: (key, signal) => client.get(typeOf(key), key, signal),

    async writeStatus(key, resourceVersion, status, signal) {
      const patch = { metadata: { resourceVersion }, status };
      try {
        const { metadata } = await client.mergePatch(typeOf(key), key, patch, { subresource: "status" }, signal);
        return { resourceVersion: metadata.resourceVersion ?? "" };
      } catch (error) {
        if (error instanceof KubeError && error.code === 409) return "conflict";
        if (isAbsent(error, key.name)) return "gone";
        throw error;
      }
    },

    async annotate(key, resourceVersion, annotations, signal) {
      try {
        await client.mergePatch(typeOf(key), key, { metadata: { resourceVersion, annotations } }, {}, signal);
        return "written";
      } catch (error) {
        if (error instanceof KubeError && error.code === 409) return "conflict";
        if (isAbsent(error, key.name)) return "gone";
        throw error;
      }
    },

    async remove(key, resourceVersion, signal) {
      try {
        await client.delete(typeOf(key), key, { resourceVersion }, signal);
        return "removed";
      } catch (error) {
        if (error instanceof KubeError && error.code === 409) return "conflict";
        throw error;
      }
    },

    async version(signal) {
      const one = { namespace, pageSize: 1 };
      for await (const { resourceVersion } of client.listPages(NOTIFICATION_MESSAGE, one, signal))
        return resourceVersion;
      return "";
    },
  };
}

function typeOf({ group }: MessageKey): ResourceType {
  return group === LEGACY_NOTIFICATION_MESSAGE.group ? LEGACY_NOTIFICATION_MESSAGE : NOTIFICATION_MESSAGE;
}
