import type { Logger } from "../observe/logger.ts";
import type { ResourceType } from "../resources/kinds.ts";
import { formatKey, type KubeObject } from "../resources/object.ts";
import { messageOf, PolicyError } from "./errors.ts";
import { eventReference } from "./event-reference.ts";
import { EVALUATE_VALUES, FROM_CLUSTER, isGeneratePolicy, parsePolicy } from "./parse-policy.ts";
import { CLUSTER_POLICY, POLICY, type Readiness, statusPatch } from "./policy-status.ts";
import { type GeneratorPorts, isApiError, type SourceEvent, type SourceState } from "./ports.ts";
import type { Policy } from "./rule-model.ts";

interface BoardEntry {
  type: ResourceType;
  /** As last seen, with the status that was last written. */
  object: KubeObject;
  policy: Policy | undefined;
  problem: string | undefined;
}

/** The policies of the cluster and of files: those that run, and those that cannot, each told why in its status. */
export class PolicyBoard {
  readonly #ports: GeneratorPorts;
  readonly #logger: Logger;
  readonly #files: readonly Policy[];
  readonly #entries = new Map<string, BoardEntry>();
  readonly #onChange: () => void;
  /** Kinds of policy that were listed, or whose CRD is known to be absent. */
  readonly #known = new Set<string>();
  readonly #listed = new Set<string>();
  #trouble = "";
  #listedAt = "";

  /** @param onChange called when the set of running policies may have changed */
  constructor(ports: GeneratorPorts, files: readonly Policy[], logger: Logger, onChange: () => void) {
    this.#ports = ports;
    this.#files = files;
    this.#logger = logger;
    this.#onChange = onChange;
  }

  /** Whether it is known which policies there are. An absent CRD means none, until it is installed. */
  get synced(): boolean {
    return this.#known.has(CLUSTER_POLICY.kind) && this.#known.has(POLICY.kind);
  }

  /** The version that the cluster had reached when all policies were first listed; "" before. */
  get listedAt(): string {
    return this.#listedAt;
  }

  /** Why the policies are not known; "" where nothing stands in the way. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Policies that run, in the order of their names; those of files first. */
  running(): Policy[] {
    const entries = [...this.#entries].sort(([left], [right]) => (left < right ? -1 : 1));
    return [...this.#files, ...entries.flatMap(([, { policy }]) => policy ?? [])];
  }

  /** Whether the cluster has the policy, be it in a state that cannot run. */
  has({ kind, namespace, name }: Pick<Policy, "kind" | "namespace" | "name">): boolean {
    return this.#entries.has(`${kind}/${formatKey({ namespace, name })}`);
  }

  /** Whether it is there, be it in a state that cannot run, or may be: a kind that was never listed says nothing. */
  mayHave({ kind, namespace, name, origin }: Policy): boolean {
    const isListed = origin !== FROM_CLUSTER || this.#listed.has(kind);
    return !isListed || this.has({ kind, namespace, name });
  }

  /** Follows ClusterPolicies and Policies until `signal` aborts; an absent CRD is waited for. */
  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#followType(CLUSTER_POLICY, signal), this.#followType(POLICY, signal)]);
  }

  /** Writes each policy's readiness where it is not written yet. Never rejects. */
  async writeStatuses(readinessOf: (policy: Policy) => Readiness | undefined, signal: AbortSignal): Promise<void> {
    for (const entry of [...this.#entries.values()]) {
      const { policy, problem } = entry;
      const readiness = policy === undefined ? invalid(problem ?? "") : readinessOf(policy);
      if (readiness !== undefined) await this.#writeStatus(entry, readiness, signal);
    }
  }

  async #followType(type: ResourceType, signal: AbortSignal): Promise<void> {
    let listed = new Set<string>();
    let trouble = "";
    await this.#ports.watch(
      type,
      {},
      {
        onEvent: (event: SourceEvent) => {
          if (event.type === "Synced") {
            for (const key of [...this.#entries.keys()])
              if (key.startsWith(`${type.kind}/`) && !listed.has(key)) this.#entries.delete(key);
            this.#known.add(type.kind);
            this.#listed.add(type.kind);
            this.#trouble = "";
            this.#listedAt ||= event.resourceVersion;
            this.#onChange();
            return undefined;
          }
          const key = `${type.kind}/${formatKey(keyOf(event.object))}`;
          if (event.type === "Listed") listed.add(key);
          if (event.type === "Deleted") this.#remove(key);
          else return this.#take(key, type, event.object, signal);
          return undefined;
        },
        onState: (state) => {
          if (state.phase === "listing") listed = new Set();
          const message = state.phase === "retrying" ? state.error.message : "";
          if (message !== "" && message !== trouble) this.#tellTrouble(type, state);
          if (state.phase !== "listing") trouble = message;
        },
      },
      signal,
    );
  }

  #tellTrouble({ kind, plural, group }: ResourceType, state: SourceState): void {
    if (state.phase !== "retrying") return;
    const { error } = state;
    const isAbsent = isApiError(error) && error.code === 404;
    const hint = isAbsent ? `the CRD ${plural}.${group} is not installed: apply deploy/generator/crds` : error.message;
    this.#logger.warn({ kind, error: hint }, "cannot watch policies, trying again");
    if (isAbsent) this.#known.add(kind);
    else this.#trouble = error.message;
    this.#onChange();
  }

  #remove(key: string): void {
    if (!this.#entries.delete(key)) return;
    this.#logger.info({ policy: key }, "policy removed");
    this.#onChange();
  }

  async #take(key: string, type: ResourceType, found: KubeObject, signal: AbortSignal): Promise<void> {
    const object = { ...found, apiVersion: found.apiVersion ?? "kyverno.io/v1", kind: found.kind ?? type.kind };
    const known = this.#entries.get(key);
    if (known !== undefined && versionOf(known.object) === versionOf(object)) {
      known.object = object;
      return;
    }
    if (!isGeneratePolicy(object)) {
      if (this.#entries.delete(key)) this.#onChange();
      this.#logger.debug({ policy: key }, "policy has no generate rule");
      return;
    }
    const entry = this.#read(type, object);
    this.#entries.set(key, entry);
    if (entry.problem !== undefined) await this.#tellProblem(entry, entry.problem, signal);
    for (const warning of entry.policy?.warnings ?? []) this.#logger.warn({ policy: key, warning }, "policy warning");
    this.#onChange();
  }

  #read(type: ResourceType, object: KubeObject): BoardEntry {
    try {
      return { type, object, policy: parsePolicy(object), problem: undefined };
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      return { type, object, policy: undefined, problem: error.message };
    }
  }

  async #tellProblem({ object }: BoardEntry, problem: string, signal: AbortSignal): Promise<void> {
    this.#logger.error({ policy: formatKey(keyOf(object)), kind: object.kind, error: problem }, "policy cannot run");
    const note = `policy ${object.metadata.name} cannot run: ${problem}`;
    try {
      const regarding = eventReference(object);
      const event = { regarding, type: "Warning", reason: "PolicyError", action: "None", note } as const;
      await this.#ports.recordEvent(event, signal);
    } catch (error) {
      if (!signal.aborted) this.#logger.warn({ error: messageOf(error) }, "cannot write the Event of a policy");
    }
  }

  async #writeStatus(entry: BoardEntry, readiness: Readiness, signal: AbortSignal): Promise<void> {
    const { type, object, policy } = entry;
    const patch = statusPatch(object, readiness, policy?.rules.length ?? 0, new Date());
    if (patch === undefined) return;
    try {
      const options = { subresource: "status" } as const;
      const written = await this.#ports.cluster.mergePatch(type, keyOf(object), patch, options, signal);
      if (entry.object === object) entry.object = { ...object, status: written["status"] };
      const { ready, reason, message } = readiness;
      this.#logger.info({ policy: formatKey(keyOf(object)), ready, reason, because: message }, "policy status written");
    } catch (error) {
      if (signal.aborted) return;
      entry.object = { ...object, ...patch }; // not again until something changes
      this.#logger.warn(
        { policy: formatKey(keyOf(object)), error: messageOf(error) },
        "cannot write the policy's status",
      );
    }
  }
}

/** What changes when the policy means something else: annotations do not count in the generation. */
function versionOf({ metadata: { uid, generation, annotations } }: KubeObject): string {
  return JSON.stringify([uid, generation, annotations?.[EVALUATE_VALUES]]);
}

function invalid(message: string): Readiness {
  return { ready: false, reason: "Invalid", message };
}

function keyOf({ metadata }: KubeObject) {
  return { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
}
