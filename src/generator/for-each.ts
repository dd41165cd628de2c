import type { Json, KubeObject } from "../resources/object.ts";
import { type BuildInput, buildBlock, type CloneOrder } from "./build.ts";
import { type ContextSource, loadContext } from "./context.ts";
import { RuleError } from "./errors.ts";
import { checkPreconditions } from "./preconditions.ts";
import type { ForEach } from "./rule-model.ts";
import { evaluate, type Scope } from "./substitute.ts";

const MAX_ITEMS = 1_000;

/** What the items of all entries give. */
export interface ForEachResult {
  targets: KubeObject[];
  clones: CloneOrder[];
  errors: RuleError[];
}

/**
 * Builds each foreach entry's block once for each item of its list, with `element` and `elementIndex` in the context. A list
 * that cannot be evaluated fails its entry, an item that cannot be built fails alone.
 */
export async function buildForEach(
  input: Omit<BuildInput, "block">,
  scope: Scope,
  source: ContextSource,
  signal?: AbortSignal,
): Promise<ForEachResult> {
  const result: ForEachResult = { targets: [], clones: [], errors: [] };
  for (const block of input.rule.generate) {
    const { each, path } = block;
    if (each === undefined) continue;
    await collectError(result, async () => {
      for (const [index, element] of itemsOf(each.list, scope, path).entries()) {
        if (element === null) continue;
        await collectError(result, async () => {
          const itemScope = await scopeOfItem(
            input,
            { each, users: [block] },
            { element, index },
            scope,
            source,
            signal,
          );
          if (!checkPreconditions(each.preconditions, itemScope).met) return;
          const built = buildBlock({ ...input, block }, itemScope);
          if ("object" in built) result.targets.push(built.object);
          else result.clones.push(built.clone);
        });
      }
    });
  }
  return result;
}

async function collectError(result: ForEachResult, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    result.errors.push(error);
  }
}

/** A list gives its items, null none, anything else is one item. */
function itemsOf(list: string, scope: Scope, path: string): Json[] {
  const value = evaluate(list, scope.document, scope, `${path}.list`);
  const items = Array.isArray(value) ? value : [value];
  if (items.length > MAX_ITEMS)
    throw new RuleError(`${path}.list has ${items.length} items: at most ${MAX_ITEMS} are generated for one change`);
  return items;
}

async function scopeOfItem(
  { policy }: Pick<BuildInput, "policy">,
  { each, users }: { each: ForEach; users: readonly unknown[] },
  { element, index }: { element: Json; index: number },
  scope: Scope,
  source: ContextSource,
  signal?: AbortSignal,
): Promise<Scope> {
  const names = { element, element0: element, elementIndex: index, elementIndex0: index };
  const { environment, expressions, failures } = scope;
  const document = { ...scope.document, ...names };
  const context = { context: each.context, users };
  const itemScope = await loadContext(policy, context, document, { source, environment, expressions }, signal);
  return { ...itemScope, failures: new Map([...failures, ...itemScope.failures]) };
}
