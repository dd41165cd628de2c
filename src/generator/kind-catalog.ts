import { apiVersionOf } from "../resources/kinds.ts";
import { matchesKind, parseKindSelector } from "./kind-selector.ts";
import type { Cluster, ServedType } from "./ports.ts";
import type { GenerateBlock, KindSelector, Rule } from "./rule-model.ts";

const MIN_REFRESH_MS = 2_000;

/** What the cluster serves, as of the last time it was asked. */
export class KindCatalog {
  readonly #cluster: Pick<Cluster, "discover">;
  readonly #now: () => number;
  #types: ServedType[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(cluster: Pick<Cluster, "discover">, now: () => number) {
    this.#cluster = cluster;
    this.#now = now;
  }

  /** Asks again, unless it was asked a moment ago. @throws ApiError */
  async refresh(signal?: AbortSignal): Promise<void> {
    if (this.#now() - this.#readAt < MIN_REFRESH_MS) return;
    this.#types = await this.#cluster.discover(signal);
    this.#readAt = this.#now();
  }

  /** The served type of an `apiVersion` and kind. */
  find(apiVersion: string, kind: string): ServedType | undefined {
    return this.#types.find((type) => type.kind === kind && apiVersionOf(type) === apiVersion);
  }

  /** The served type of a group, version and plural. */
  findResource(group: string, version: string, plural: string): ServedType | undefined {
    return this.#types.find((type) => type.group === group && type.version === version && type.plural === plural);
  }

  /** The types of what a rule generates, as far as they are served. */
  targetTypes({ generate }: Pick<Rule, "generate">): ServedType[] {
    const types = generate.flatMap((block) => this.#typesOfBlock(block)).filter((type) => type !== undefined);
    return [...new Map(types.map((type) => [`${apiVersionOf(type)}/${type.kind}`, type])).values()];
  }

  /** Whether a kind that the block generates is not served. */
  lacksTargets(block: GenerateBlock): boolean {
    return this.#typesOfBlock(block).includes(undefined);
  }

  #typesOfBlock({ apiVersion, kind, content }: GenerateBlock): (ServedType | undefined)[] {
    if (content.type === "cloneList") return content.kinds.map((text) => this.#resolveText(text));
    const own = content.type === "data" ? content.data["kind"] : undefined;
    return [this.find(apiVersion, typeof own === "string" ? own : kind)];
  }

  #resolveText(text: string): ServedType | undefined {
    const selector = parseKindSelector(text);
    return typeof selector === "string" ? undefined : this.resolve(selector)[0];
  }

  /** The types that a selector names and that can be watched, one version of each; core Events stand for both groups'. */
  resolve(selector: KindSelector): ServedType[] {
    const found = new Map<string, ServedType>();
    for (const type of this.#types) {
      if (!matchesKind(selector, type) || !isWatchable(type)) continue;
      const key = type.kind === "Event" && type.group === "events.k8s.io" ? "/Event" : `${type.group}/${type.kind}`;
      const known = found.get(key);
      const isBetter =
        known === undefined || type.group.length < known.group.length || (type.preferred && !known.preferred);
      if (isBetter) found.set(key, type);
    }
    return [...found.values()];
  }
}

function isWatchable({ verbs }: ServedType): boolean {
  return verbs.includes("list") && verbs.includes("watch");
}
