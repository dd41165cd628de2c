/** What a Go template reads of its data, found without rendering it. */
import type { BranchNode, CommandNode, Definition, Operand, PipeNode, Statement } from "../template/ast.ts";
import { FUNCTION_NAMES } from "../template/functions/registry.ts";
import { DEFAULT_LIMITS, TemplateError } from "../template/index.ts";
import { parseTemplate } from "../template/parser.ts";

/** Any one item of a list or map that a `range` walks over. */
export const EACH: unique symbol = Symbol("each");
/** From the template's data down. */
export type DataPath = (string | typeof EACH)[];

export interface VariableUse {
  path: DataPath;
  /** UTF-16 offset in the template's source. */
  offset: number;
  /** Whether the template itself deals with its absence: the tests of `{{ if .x }}` and `{{ with .x }}`, `default "y" .x`. */
  isGuarded: boolean;
  /** Paths that are there when it is read at all: what `if` and `with` around it test. */
  guards: DataPath[];
}

/** The statements of a template by name, the source itself first; undefined where it does not parse. */
export function parseGoTemplate(source: string): Map<string, Definition> | undefined {
  const { nesting, tokens } = DEFAULT_LIMITS;
  try {
    return parseTemplate(source, { name: MAIN, functions: FUNCTION_NAMES, nesting, maxTokens: tokens });
  } catch (error) {
    if (error instanceof TemplateError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The name under which {@link parseGoTemplate} has the source itself. */
export const MAIN = "main";

/** Every read of the data whose path is known beforehand. */
export function findUses(definitions: Map<string, Definition>): VariableUse[] {
  const walk = new Walk(definitions);
  walk.call(MAIN, [], []);
  return walk.uses;
}

/** `.labels.name`, `.alerts[].name`, `.labels["a/b"]`, as near to a template's own words as it goes. */
export function formatPath(path: DataPath): string {
  const steps = path.map((step) => {
    if (step === EACH) return "[]";
    return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  });
  const text = steps.join("");
  return text.startsWith(".") ? text : `.${text}`;
}

interface Scope {
  /** Undefined where it is no part of the data, or not a known one. */
  dot: DataPath | undefined;
  variables: Map<string, DataPath | undefined>;
  guards: DataPath[];
}

/** Templates that call one another in all ways could be walked for ever; no template of use comes near these. */
const MAX_CALLS = 200;
const MAX_USES = 2000;

/** Functions that make something of an absent value. */
const TAKES_ABSENT: ReadonlySet<string> = new Set(["default", "or", "and", "not"]);

class Walk {
  readonly uses: VariableUse[] = [];
  readonly #definitions: Map<string, Definition>;
  readonly #called = new Set<string>();
  #depth = 0;

  constructor(definitions: Map<string, Definition>) {
    this.#definitions = definitions;
  }

  /** Walks a named template; a call that says nothing new, or is one too many, is passed over. */
  call(name: string, dot: DataPath | undefined, guards: DataPath[]): void {
    const call = JSON.stringify([name, dot && formatPath(dot), guards.map(formatPath)]);
    if (this.#called.has(call) || this.#called.size >= MAX_CALLS || this.#depth >= DEFAULT_LIMITS.depth) return;
    this.#called.add(call);
    this.#depth++;
    this.#statements(this.#definitions.get(name)?.body ?? [], { dot, variables: new Map([["$", dot]]), guards });
    this.#depth--;
  }

  #statements(body: Statement[], scope: Scope): void {
    for (const node of body) {
      if (node.type === "action") this.#pipe(node.pipe, scope, false);
      else if (node.type === "template") {
        this.call(node.name, node.pipe && this.#pipe(node.pipe, scope, false), scope.guards);
      } else if (node.type === "if" || node.type === "with" || node.type === "range") this.#branch(node, scope);
    }
  }

  #branch({ type, pipe, body, otherwise }: BranchNode, outer: Scope): void {
    const scope: Scope = { ...outer, variables: new Map(outer.variables) };
    const value = this.#pipe(pipe, scope, type !== "range");
    if (type === "range") {
      scope.dot = value && [...value, EACH];
      const item = pipe.variables.at(-1);
      if (item !== undefined) scope.variables.set(item.name, scope.dot);
      if (pipe.variables.length === 2) scope.variables.set(pipe.variables[0]?.name ?? "", undefined);
    }
    if (type === "with") scope.dot = value;
    const tested = type === "range" ? [] : testedPaths(pipe, outer);
    const known = new Set(outer.guards.map(formatPath));
    const guards = [...outer.guards, ...tested.filter((path) => !known.has(formatPath(path)))];
    this.#statements(body, { ...scope, guards });
    this.#statements(otherwise ?? [], { ...scope, dot: outer.dot });
  }

  /** The path of a pipeline's value, where it is a plain part of the data. */
  #pipe(pipe: PipeNode, scope: Scope, isTest: boolean): DataPath | undefined {
    const last = pipe.commands.at(-1)?.args[0];
    const takesPiped = last?.type === "identifier" && TAKES_ABSENT.has(last.name);
    let value: DataPath | undefined;
    for (const command of pipe.commands) {
      const isWhole = pipe.commands.length === 1;
      value = this.#command(command, scope, isTest || (!isWhole && takesPiped));
      if (!isWhole) value = undefined;
    }
    for (const { name } of pipe.variables) scope.variables.set(name, value);
    return value;
  }

  #command({ args }: CommandNode, scope: Scope, isGuarded: boolean): DataPath | undefined {
    const [first, ...rest] = args;
    if (first === undefined) return undefined;
    if (first.type !== "identifier") return this.#operand(first, scope, isGuarded && rest.length === 0);
    if (first.name === "index") return this.#index(rest, scope, isGuarded);
    const isTaken = TAKES_ABSENT.has(first.name);
    for (const operand of rest) this.#operand(operand, scope, isTaken);
    return undefined;
  }

  /** `index .labels "a-b"` reads as `.labels.a-b` would. */
  #index([collection, ...keys]: Operand[], scope: Scope, isGuarded: boolean): DataPath | undefined {
    if (collection === undefined) return undefined;
    const base = pathOf(collection, scope);
    const steps = keys.map((key) => (key.type === "string" ? key.value : undefined));
    for (const key of keys) this.#operand(key, scope, false);
    if (base === undefined || steps.includes(undefined)) {
      this.#operand(collection, scope, isGuarded);
      return undefined;
    }
    return this.#use([...base, ...(steps as string[])], startOf(collection), scope, isGuarded);
  }

  #operand(node: Operand, scope: Scope, isGuarded: boolean): DataPath | undefined {
    if (node.type === "pipe") return this.#pipe(node, scope, isGuarded);
    if (node.type === "chain") {
      const base = this.#operand(node.node, scope, isGuarded);
      return base && this.#use([...base, ...node.fields], node.pos, scope, isGuarded);
    }
    const path = pathOf(node, scope);
    return path && this.#use(path, startOf(node), scope, isGuarded);
  }

  #use(path: DataPath, offset: number, { guards }: Scope, isGuarded: boolean): DataPath {
    if (path.length > 0 && this.uses.length < MAX_USES) this.uses.push({ path, offset, isGuarded, guards });
    return path;
  }
}

/** The path that a field, a variable or the dot stands for. */
function pathOf(node: Operand, scope: Scope): DataPath | undefined {
  if (node.type === "dot") return scope.dot;
  if (node.type === "field") return scope.dot && [...scope.dot, ...node.fields];
  if (node.type !== "variable") return undefined;
  const base = scope.variables.get(node.name);
  return base && [...base, ...node.fields];
}

/** Where an operand begins: Go's position of a chain of fields is its second dot. */
function startOf(node: Operand): number {
  if (node.type === "field" && node.fields.length > 1) return node.pos - 1 - (node.fields[0]?.length ?? 0);
  if (node.type === "variable" && node.fields.length > 0) return node.pos - node.name.length;
  return node.pos;
}

/** The paths that a test says are there when it passes: `.x`, `and .x .y`, not `or .x .y`. */
function testedPaths(pipe: PipeNode, scope: Scope): DataPath[] {
  const [command] = pipe.commands;
  if (command === undefined || pipe.commands.length > 1) return [];
  const [first, ...rest] = command.args;
  if (first === undefined) return [];
  if (first.type !== "identifier") return first.type === "pipe" ? testedPaths(first, scope) : known(first, scope);
  return first.name === "and"
    ? rest.flatMap((node) => (node.type === "pipe" ? testedPaths(node, scope) : known(node, scope)))
    : [];
}

function known(node: Operand, scope: Scope): DataPath[] {
  const path = pathOf(node, scope);
  return path === undefined || path.length === 0 ? [] : [path];
}
