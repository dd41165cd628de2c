import type { Command } from "commander";
import { accessOf } from "../app/cluster-access.ts";
import { clusterContext } from "../generator/cluster-context.ts";
import { explainChange, type RuleExplanation } from "../generator/explain.ts";
import { formatExplanation } from "../generator/explain-text.ts";
import { KindCatalog } from "../generator/kind-catalog.ts";
import { loadPolicyFiles } from "../generator/policy-files.ts";
import { triggerKey } from "../generator/request.ts";
import { leaveOut } from "../generator/resource-filters.ts";
import type { Policy } from "../generator/rule-model.ts";
import { ExpressionCache } from "../generator/substitute.ts";
import type { KubeClient } from "../kube/client.ts";
import { connect } from "../kube/connect.ts";
import { KubeError } from "../kube/kube-error.ts";
import type { ResourceFilterEntry } from "../resources/resource-filter.ts";
import { type ExplainedChange, readChange, UnreadableChange } from "./explain-change.ts";
import type { ExplainOptions } from "./explain-options.ts";
import { endOnClosedPipe } from "./render-streams.ts";
import { print, styled } from "./terminal.ts";

const GENERATED = 0;
const NOTHING = 1;
const UNREADABLE = 2;

/** `courier explain`: what generate rules make of one change, and why. Returns the exit code. */
export async function explain(command: Command): Promise<number> {
  endOnClosedPipe();
  const options = command.opts<ExplainOptions>();
  const policies = await readPolicies(options.filename);
  if (policies === undefined) return UNREADABLE;
  const cluster = new LazyCluster(options);
  try {
    const change = await readChange(options, () => cluster.connected());
    const rules = await explainRules(policies, change, cluster, options.resourceFilters);
    (options.format === "json" ? printJson : printText)(change, rules);
    return countTargets(rules) > 0 ? GENERATED : NOTHING;
  } catch (error) {
    if (!(error instanceof UnreadableChange) && !(error instanceof KubeError)) throw error;
    console.error(error.message);
    return UNREADABLE;
  } finally {
    await cluster.close();
  }
}

/** Undefined when one of them cannot run; what is wrong has been told then. */
async function readPolicies(paths: readonly string[]): Promise<Policy[] | undefined> {
  const { policies, problems } = await loadPolicyFiles(paths);
  for (const { origin, message } of problems) console.error(`${origin}  ${message}`);
  if (problems.length > 0) return undefined;
  for (const { origin, warnings } of policies)
    for (const warning of warnings) console.error(`${origin}  warning: ${warning}`);
  if (policies.length > 0) return policies;
  console.error(`There is no ClusterPolicy or Policy with a generate rule in ${paths.join(", ")}`);
  return undefined;
}

async function explainRules(
  policies: readonly Policy[],
  { request }: ExplainedChange,
  cluster: LazyCluster,
  filters: readonly ResourceFilterEntry[],
): Promise<RuleExplanation[]> {
  if (request === undefined) return [];
  const startedAt = new Date();
  const source = clusterContext(
    {
      get: async (type, key, signal) => (await cluster.connected()).get(type, key, signal),
      raw: async (path, signal) => (await cluster.connected()).raw(path, signal),
      async *listPages(type, options, signal) {
        yield* (await cluster.connected()).listPages(type, options, signal);
      },
    },
    new KindCatalog({ discover: async (signal) => (await cluster.connected()).discover(signal) }, () =>
      performance.now(),
    ),
  );
  const inputs = { source, now: () => startedAt, expressions: new ExpressionCache(), leaveOut: leaveOut(filters) };
  return explainChange(policies, request, inputs);
}

/** Connects only when something is asked of the cluster: rules that need none are explained without one. */
class LazyCluster {
  readonly #options: ExplainOptions;
  #client: Promise<KubeClient> | undefined;

  constructor(options: ExplainOptions) {
    this.#options = options;
  }

  connected(): Promise<KubeClient> {
    this.#client ??= connect(accessOf(this.#options));
    return this.#client;
  }

  async close(): Promise<void> {
    await this.#client?.then(
      (client) => client.close(),
      () => undefined, // told where it was asked for
    );
  }
}

const NO_TRIGGER = "The change triggers nothing: only status changed, or the write went to a subresource";

function printText(change: ExplainedChange, rules: readonly RuleExplanation[]): void {
  const { request, object, operation, origin } = change;
  const place = request === undefined ? (object.metadata.name ?? "") : triggerKey(request).replace(/^\//, "");
  print(`${operation} of ${object.kind} ${place} ${styled("dim", `(${origin})`)}`);
  for (const rule of rules) {
    print();
    for (const line of formatExplanation(rule, styled)) print(line);
  }
  print();
  const count = countTargets(rules);
  if (request === undefined) print(NO_TRIGGER);
  else if (count === 0) print(styled("red", "Nothing is generated"));
  else print(styled("green", `${count} ${count === 1 ? "object is" : "objects are"} generated`));
}

function printJson({ request, object, operation }: ExplainedChange, rules: readonly RuleExplanation[]): void {
  const { apiVersion, kind, metadata } = object;
  const { namespace = "", name = "" } = metadata;
  const trigger = { operation, apiVersion, kind, namespace, name };
  const because = request === undefined ? { because: NO_TRIGGER } : {};
  print(JSON.stringify({ trigger, generated: countTargets(rules), ...because, rules }, null, 2));
}

function countTargets(rules: readonly RuleExplanation[]): number {
  return rules.reduce((count, { targets }) => count + targets.length, 0);
}
