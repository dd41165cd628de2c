import type { ObjectKey } from "../resources/object.ts";
import type { ResourceFilterEntry } from "../resources/resource-filter.ts";
import type { PolicyFiles } from "./policy-files.ts";

export interface GeneratorOptions {
  /** Policies that were read from files; those of the cluster come beside them. */
  files: PolicyFiles;
  /** Whether ClusterPolicies and Policies of the cluster are followed. */
  fromCluster: boolean;
  /** Objects whose changes never trigger a rule. */
  resourceFilters: readonly ResourceFilterEntry[];
  /** Where UpdateRequests of failures go. */
  namespace: string;
  /** The first of the Secrets in which what was seen is kept. */
  checkpoint: ObjectKey;
  /** Whether each target that is created is told of in Events. */
  successEvents?: boolean;
  /** False where something else has generated since the checkpoint: then it is not read. */
  resume?: boolean;
  /** How many changes are evaluated and created at once; 32 when absent. */
  concurrency?: number;
  /** How often policies are applied again to what exists; one hour when absent. */
  existingEveryMs?: number;
  /** How often what failed for good is tried again; five minutes when absent. */
  failedEveryMs?: number;
  /**
   * Called when readiness changes. `missing` is empty once all policies and sources are followed; `problem` says why changes
   * made while no generator runs would be missed.
   */
  onState?: (state: { missing: string[]; problem: string | undefined }) => void;
}

export const EXISTING_EVERY_MS = 3_600_000;
export const FAILED_EVERY_MS = 300_000;
