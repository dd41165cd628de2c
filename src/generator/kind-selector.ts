import type { ResourceType } from "../resources/kinds.ts";
import { matchGlob } from "./glob.ts";
import type { KindSelector } from "./rule-model.ts";

const VERSION = /^v\d+((alpha|beta)\d+)?$/;

/**
 * Reads `Kind`, `version/Kind`, `group/version/Kind` and their wildcards.
 * @returns the selector, or a sentence that says why changes to such a kind cannot be watched
 */
export function parseKindSelector(text: string): KindSelector | string {
  const { group = "*", version = "*", kind, subresource } = splitKindSelector(text);
  if (kind === "") return "must name a kind, such as ConfigMap or apps/v1/Deployment";
  if (subresource !== "" && subresource !== "*")
    return `names the subresource "${subresource}": a watch does not see requests to subresources, match the kind itself`;
  return { group, version, kind };
}

interface SplitSelector {
  group?: string;
  version?: string;
  kind: string;
  subresource: string;
}

/** The parts of a kind as match and `resourceFilters` write it; `subresource` is "" where it names none. */
export function splitKindSelector(text: string): SplitSelector {
  const parts = text.split("/");
  const last = parts.pop() ?? "";
  const dot = last.indexOf(".");
  const [kind, dotted] = dot === -1 ? [last, ""] : [last.slice(0, dot), last.slice(dot + 1)];
  const [first = "", second = "", third = ""] = parts;
  switch (parts.length) {
    case 0:
      return { kind, subresource: dotted };
    case 1:
      if (first === "*" && (kind === "*" || /^[a-z]+$/.test(kind))) return { kind: "*", subresource: kind };
      if (first === "*" || VERSION.test(first)) return { version: first, kind, subresource: dotted };
      return { kind: first, subresource: kind };
    case 2:
      if (dotted === "" && (first === "*" || VERSION.test(first)) && !VERSION.test(second) && second !== "*")
        return { version: first, kind: second, subresource: kind };
      return { group: first, version: second, kind, subresource: dotted };
    default:
      return { group: first, version: second, kind: third, subresource: kind };
  }
}

/** Whether objects of `type` are what the selector names. */
export function matchesKind(selector: KindSelector, type: Pick<ResourceType, "group" | "version" | "kind">): boolean {
  return (
    matchGlob(selector.kind, type.kind) &&
    matchGlob(selector.group, type.group) &&
    matchGlob(selector.version, type.version)
  );
}
