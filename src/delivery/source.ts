import type { KubeObject } from "../resources/object.ts";

/** The object a message is about, from the guide's labels: mails about one source belong to one thread. */
export function sourceOf({ metadata }: KubeObject): string | undefined {
  const { labels = {} } = metadata;
  const name = labels["configmap-change/source-name"] ?? labels["generate.kyverno.io/trigger-uid"];
  if (name === undefined) return undefined;
  return [
    labels["configmap-change/source-namespace"] ?? labels["generate.kyverno.io/trigger-namespace"] ?? "",
    name,
  ].join("/");
}
