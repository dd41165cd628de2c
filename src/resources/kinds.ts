/** One served kind: what a URL path needs, as the discovery API reports it. */
export interface ResourceType {
  /** "" for the core group. */
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

/** `group/version`, or the bare version of the core group: the `apiVersion` of its objects. */
export function apiVersionOf({ group, version }: Pick<ResourceType, "group" | "version">): string {
  return group === "" ? version : `${group}/${version}`;
}

function namespaced(group: string, version: string, kind: string, plural: string): ResourceType {
  return { group, version, kind, plural, namespaced: true };
}

/** What the guide's policy generates. */
export const NOTIFICATION_MESSAGE = namespaced(
  "aitextensions.alauda.io",
  "v1beta1",
  "NotificationMessage",
  "notificationmessages",
);

/** The same kind on older installations. */
export const LEGACY_NOTIFICATION_MESSAGE = namespaced(
  "aiops.alauda.io",
  "v1beta1",
  "NotificationMessage",
  "notificationmessages",
);

export const NOTIFICATION_TEMPLATE = namespaced(
  "ait.alauda.io",
  "v1beta1",
  "NotificationTemplate",
  "notificationtemplates",
);

export const CONFIG_MAP = namespaced("", "v1", "ConfigMap", "configmaps");
export const SECRET = namespaced("", "v1", "Secret", "secrets");
export const EVENT = namespaced("events.k8s.io", "v1", "Event", "events");
export const LEASE = namespaced("coordination.k8s.io", "v1", "Lease", "leases");
export const NAMESPACE: ResourceType = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
};
