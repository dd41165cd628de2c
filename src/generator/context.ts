import type { Json } from "../resources/object.ts";
import { LookupError, messageOf, RuleError } from "./errors.ts";
import { MAX_CONTEXT } from "./global-context.ts";
import type { GlobalContextEntry } from "./global-context-entry.ts";
import type { Environment } from "./jmespath/functions/index.ts";
import { type JsonObject, toText } from "./jmespath/values.ts";
import { requireOwnApi } from "./own-api.ts";
import type { ContextEntry, Policy } from "./rule-model.ts";
import { type ExpressionCache, evaluate, mentions, type Scope, substitute } from "./substitute.ts";

/** What context entries and namespace selectors ask of a cluster. */
export interface ContextSource {
  /** `{data, metadata}` of a ConfigMap; undefined when it does not exist. */
  configMap(namespace: string, name: string, signal?: AbortSignal): Promise<JsonObject | undefined>;
  /** GET of a path of the cluster's own API. */
  apiCall(path: string, signal?: AbortSignal): Promise<Json>;
  /** @throws Error when there is none that can be used */
  globalEntry(name: string, signal?: AbortSignal): Promise<GlobalContextEntry>;
  /** What the entry names, before projections. */
  globalData(entry: GlobalContextEntry, signal?: AbortSignal): Promise<Json>;
  /** @throws RuleError when the namespace does not exist */
  namespaceLabels(namespace: string, signal?: AbortSignal): Promise<Record<string, string>>;
}

interface Inputs {
  source: ContextSource;
  environment: Environment;
  expressions: ExpressionCache;
}

/** Context entries, and whatever holds the expressions that may use them. */
export interface ContextInput {
  context: ContextEntry[];
  users: readonly unknown[];
}

/**
 * Loads the context entries that the users' expressions mention, in order, so that each may use those before it. An entry
 * that fails stays out and its error comes up where it is used.
 */
export async function loadContext(
  policy: Policy,
  { context, users }: ContextInput,
  document: JsonObject,
  { source, environment, expressions }: Inputs,
  signal?: AbortSignal,
): Promise<Scope> {
  const failures = new Map<string, RuleError>();
  const scope: Scope = {
    document,
    failures,
    environment,
    evaluatesValues: policy.evaluatesValues,
    expressions,
  };
  for (const entry of mentionedEntries(context, users)) {
    try {
      scope.document = { ...scope.document, [entry.name]: await loadEntry(policy, entry, scope, source, signal) };
      failures.delete(entry.name);
    } catch (error) {
      if (signal?.aborted) throw error;
      failures.set(
        entry.name,
        error instanceof RuleError ? error : new LookupError(`${entry.path}: ${messageOf(error)}`),
      );
    }
  }
  return scope;
}

/** Entries that the users' texts mention, or that such an entry mentions in turn. */
function mentionedEntries(context: ContextEntry[], users: readonly unknown[]): ContextEntry[] {
  if (context.length === 0) return [];
  const texts = textsOf(users);
  const mentioned = context.toReversed().filter(({ name, ...entry }) => {
    const isUsed = texts.some((text) => mentions(text, name));
    if (isUsed) texts.push(...textsOf(entry));
    return isUsed;
  });
  return mentioned.reverse();
}

/** All texts and keys in a value. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsOf(item)]);
}

async function loadEntry(
  policy: Policy,
  entry: ContextEntry,
  scope: Scope,
  source: ContextSource,
  signal?: AbortSignal,
): Promise<Json> {
  switch (entry.type) {
    case "variable":
      return loadVariable(entry, scope);
    case "configMap":
      return loadConfigMap(policy, entry, scope, source, signal);
    case "apiCall":
      return loadApiCall(policy, entry, scope, source, signal);
    case "globalReference":
      return loadGlobalReference(policy, entry, scope, source, signal);
  }
}

type EntryOf<T extends ContextEntry["type"]> = Extract<ContextEntry, { type: T }>;

/** value and jmesPath → the value queried; only jmesPath → the context queried; null or an error → default, else an error. */
function loadVariable({ name, path, value, jmesPath, fallback }: EntryOf<"variable">, scope: Scope): Json {
  let failure: RuleError | undefined;
  try {
    const base = value === undefined ? scope.document : substitute(value, scope, `${path}.value`);
    const result = jmesPath === undefined ? base : query(jmesPath, base, scope, path);
    if (result !== null) return result;
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    failure = error;
  }
  const other = fallback === undefined ? null : substitute(fallback, scope, `${path}.default`);
  if (other !== null) return other;
  throw failure ?? new RuleError(`${path}: the variable "${name}" is null and has no default`);
}

async function loadConfigMap(
  policy: Policy,
  entry: EntryOf<"configMap">,
  scope: Scope,
  source: ContextSource,
  signal?: AbortSignal,
): Promise<Json> {
  const name = toText(substitute(entry.configMapName, scope, `${entry.path}.name`));
  const given = toText(substitute(entry.namespace, scope, `${entry.path}.namespace`));
  const namespace = given || policy.namespace || "default";
  if (policy.kind === "Policy" && namespace !== policy.namespace)
    throw new RuleError(`${entry.path}.namespace is "${namespace}": a Policy reads only in its own namespace`);
  const found = await source.configMap(namespace, name, signal);
  if (found === undefined) throw new LookupError(`${entry.path}: ConfigMap ${namespace}/${name} does not exist`);
  return found;
}

async function loadApiCall(
  policy: Policy,
  entry: EntryOf<"apiCall">,
  scope: Scope,
  source: ContextSource,
  signal?: AbortSignal,
): Promise<Json> {
  const urlPath = toText(substitute(entry.urlPath, scope, `${entry.path}.urlPath`));
  requireOwnApi(policy, urlPath, `${entry.path}.urlPath`);
  let answer: Json;
  try {
    answer = await source.apiCall(urlPath, signal);
  } catch (error) {
    if (signal?.aborted) throw error;
    if (entry.fallback !== undefined) return substitute(entry.fallback, scope, `${entry.path}.default`);
    throw new LookupError(`${entry.path}: GET ${urlPath} failed: ${messageOf(error)}`);
  }
  if (JSON.stringify(answer).length > MAX_CONTEXT)
    throw new RuleError(`${entry.path}: the answer of GET ${urlPath} is larger than ${MAX_CONTEXT} characters`);
  return entry.jmesPath === undefined ? answer : query(entry.jmesPath, answer, scope, entry.path);
}

/** The data of a GlobalContextEntry, or of one of its projections. */
async function loadGlobalReference(
  policy: Policy,
  { path, reference, jmesPath }: EntryOf<"globalReference">,
  scope: Scope,
  source: ContextSource,
  signal?: AbortSignal,
): Promise<Json> {
  const text = toText(substitute(reference, scope, `${path}.name`));
  const [name = "", projection, ...others] = text.split(".");
  if (others.length > 0) throw new RuleError(`${path}.name is "${text}": it must be ENTRY or ENTRY.PROJECTION`);
  const entry = await source.globalEntry(name, signal);
  requireOwnData(policy, entry, path);
  const projected = projection === undefined ? "@" : entry.projections.get(projection);
  if (projected === undefined)
    throw new LookupError(`${path}.name is "${text}": GlobalContextEntry "${name}" has no projection "${projection}"`);
  const value = evaluate(projected, await source.globalData(entry, signal), scope, `${path}.name`);
  return jmesPath === undefined ? value : query(jmesPath, value, scope, path);
}

/** Who may write a Policy of a namespace need not be allowed to read what others, or all, keep. */
function requireOwnData(policy: Policy, { name, source }: GlobalContextEntry, path: string): void {
  const at = `${path}: spec.apiCall.urlPath of GlobalContextEntry "${name}"`;
  if (source.type === "apiCall") requireOwnApi(policy, source.urlPath, at);
  else if (policy.kind === "Policy" && source.namespace !== policy.namespace)
    throw new RuleError(
      `${path}: GlobalContextEntry "${name}" is not about "${policy.namespace}" alone: a Policy reads only in its own namespace`,
    );
}

function query(jmesPath: string, value: Json, scope: Scope, path: string): Json {
  const expression = toText(substitute(jmesPath, scope, `${path}.jmesPath`));
  return evaluate(expression, value, scope, `${path}.jmesPath`);
}
