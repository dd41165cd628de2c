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
      const patch = {
        metadata: { resourceVersion },
        status: hasEmptyText(status) ? withoutEmptyTexts(status, null) : status,
      };
      try {
        const options = { subresource: "status", answer: "metadata" } as const;
        const { metadata } = await client.mergePatch(typeOf(key), key, patch, options, signal);
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

function hasEmptyText(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === "";
  return Object.values(value).some(hasEmptyText);
}

/**
 * Some API servers take an empty text for null when they check it against the schema, and refuse it (a build of 1.20 did).
 * In a merge patch null takes a field away; a list is replaced as it is, so what stands in one is left out.
 */
function withoutEmptyTexts(value: unknown, empty: null | undefined): unknown {
  if (value === "") return empty;
  if (Array.isArray(value)) return value.map((item) => (item === "" ? item : withoutEmptyTexts(item, undefined)));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withoutEmptyTexts(each, empty)]));
}

function typeOf({ group }: MessageKey): ResourceType {
  return group === LEGACY_NOTIFICATION_MESSAGE.group ? LEGACY_NOTIFICATION_MESSAGE : NOTIFICATION_MESSAGE;
}
