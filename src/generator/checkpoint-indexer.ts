import { createHash } from "node:crypto";
import { newestVersion, oldestVersion } from "./change.ts";
import { CHECKPOINT_VERSION, type CheckpointIndex, type IndexedSource, type PolicyDocument } from "./checkpoint.ts";
import type { CheckpointStore } from "./checkpoint-store.ts";
import type { CapturedCreations, CreationLog } from "./creation-log.ts";
import type { Policy } from "./rule-model.ts";
import type { SourceSet } from "./source-set.ts";

export interface CheckpointIndexerOptions {
  store: Pick<CheckpointStore, "lastVersion">;
  sources: SourceSet;
  creations: CreationLog;
  /** The policies whose targets are followed; undefined while what became of others is under way. */
  followed(): Policy[] | undefined;
}

/** Says what a checkpoint's index is to say: which rules look at which kinds, and up to where all is done. */
export class CheckpointIndexer {
  readonly #options: CheckpointIndexerOptions;
  /** Of sources whose watches change, as they were before. */
  #sections = new Map<string, IndexedSource>();
  #documents = new Map<string, PolicyDocument>();
  #followed: Policy[] = [];
  readonly #fingerprints = new WeakMap<Policy, string>();

  constructor(options: CheckpointIndexerOptions) {
    this.#options = options;
  }

  /** Begins with what a generator before this one wrote. */
  resume(index: CheckpointIndex, followed: readonly Policy[]): void {
    this.#sections = new Map(Object.entries(index.sources));
    this.#documents = new Map(Object.entries(index.documents));
    this.#followed = [...followed];
  }

  /**
   * The index of what is so now, and the policies that it covers. Sources whose watches are changing stay as they were.
   */
  capture(): { index: CheckpointIndex; covered: Set<Policy> } {
    const { sources, followed } = this.#options;
    const changing = new Set<Policy>();
    const sections = new Map<string, IndexedSource>();
    for (const [key, source] of sources.entries()) {
      const positions = source.positions();
      const before = this.#sections.get(key);
      if (positions === undefined) for (const { policy } of source.rules) changing.add(policy);
      if (positions !== undefined) {
        const rules = source.settledRules.map(({ policy, rule }) => [this.#keep(policy), rule.name] as const);
        sections.set(key, { rules, positions, isPartial: false });
      } else if (before !== undefined) sections.set(key, before);
    }
    for (const key of sources.waiting()) {
      const before = this.#sections.get(key);
      if (before !== undefined) sections.set(key, before);
    }
    this.#sections = sections;
    this.#followed = followed() ?? this.#followed;
    const policies = this.#followed.map((policy) => this.#keep(policy));
    const used = new Set([...policies, ...[...sections.values()].flatMap(({ rules }) => rules.map(([key]) => key))]);
    for (const key of this.#documents.keys()) if (!used.has(key)) this.#documents.delete(key);
    const index: CheckpointIndex = {
      version: CHECKPOINT_VERSION,
      ...this.#captureCreations(sections),
      documents: Object.fromEntries(this.#documents),
      policies,
      sources: Object.fromEntries([...sections].map(([key, section]) => [key, { ...section }])),
    };
    const isCovered = (policy: Policy) => !changing.has(policy) && sources.readinessOf(policy)?.ready === true;
    return { index, covered: new Set(sources.policies?.filter(isCovered)) };
  }

  #captureCreations(sections: ReadonlyMap<string, IndexedSource>): CapturedCreations {
    const { creations, sources, store } = this.#options;
    const positions = [...sections.values()].flatMap((section) =>
      section.positions.map((each) => each.resourceVersion),
    );
    return creations.capture({
      reached: newestVersion([...positions, store.lastVersion].filter((version) => version !== "")) ?? "",
      followedTo: oldestVersion(positions) ?? "",
      open: new Set(sources.all().flatMap((source) => [...source.openUids()])),
    });
  }

  #keep(policy: Policy): string {
    const { origin, document } = policy;
    const known = this.#fingerprints.get(policy);
    const fingerprint =
      known ??
      createHash("sha256")
        .update(JSON.stringify([origin, document]))
        .digest("hex")
        .slice(0, 16);
    if (known === undefined) this.#fingerprints.set(policy, fingerprint);
    this.#documents.set(fingerprint, { origin, document });
    return fingerprint;
  }
}
