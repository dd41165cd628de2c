import type { Json } from "../resources/object.ts";
import { messageOf, RuleError } from "./errors.ts";
import { MissingKeyError } from "./jmespath/errors.ts";
import { type Environment, isFunction } from "./jmespath/functions/index.ts";
import { interpret } from "./jmespath/interpret.ts";
import { type Expression, parseExpression } from "./jmespath/parse.ts";
import { isJsonObject, type JsonObject, measure, toText } from "./jmespath/values.ts";
import { placeInExpression } from "./nested-token.ts";
import { parseTemplate, type TemplatePart, type Token } from "./template.ts";

/** What expressions of one rule see while one event is evaluated. */
export interface Scope {
  document: JsonObject;
  /** Context entries that could not be loaded: the error comes up only where an expression mentions the name. */
  failures: ReadonlyMap<string, RuleError>;
  environment: Environment;
  /** Whether the policy opted in to expressions that come out of values. */
  evaluatesValues: boolean;
  expressions: ExpressionCache;
}

const MAX_CACHED = 10_000;
const MAX_DEPTH = 64;

/** Parsed expressions and templates by their text: the same few are evaluated for every event. */
export class ExpressionCache {
  readonly #expressions = new Map<string, Expression>();
  readonly #templates = new Map<string, TemplatePart[]>();

  /** @throws ExpressionSyntaxError */
  parse(text: string): Expression {
    return remembered(this.#expressions, text, () => parseExpression(text, isFunction));
  }

  /** The parts of a text of the policy; not for texts of objects, which are not the same few. */
  template(text: string): readonly TemplatePart[] {
    return remembered(this.#templates, text, () => parseTemplate(text));
  }
}

function remembered<T>(known: Map<string, T>, text: string, make: () => T): T {
  const found = known.get(text);
  if (found !== undefined) return found;
  const made = make();
  if (known.size >= MAX_CACHED) known.clear();
  known.set(text, made);
  return made;
}

/**
 * Replaces every `{{ expression }}` in the texts and keys of `value`. A text that is one token becomes the expression's
 * value with its type. Values are not looked into for further tokens, since what a source object says is data, unless the
 * policy opted in: then, as in Kyverno, whatever an expression gives is evaluated in turn, but a text that is the whole value.
 * @param path where `value` stands in the policy, for the error
 * @throws RuleError
 */
export function substitute(value: Json, scope: Scope, path: string, depth = 0): Json {
  if (depth > MAX_DEPTH) throw new RuleError(`${path} is nested deeper than ${MAX_DEPTH} levels`);
  if (typeof value === "string") return substituteText(value, scope, path, depth);
  if (Array.isArray(value)) return value.map((item, index) => substitute(item, scope, `${path}[${index}]`, depth + 1));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      substituteKey(key, scope, path),
      substitute(item, scope, `${path}.${key}`, depth + 1),
    ]),
  );
}

/** @throws RuleError */
export function substituteText(text: string, scope: Scope, path: string, depth = 0): Json {
  if (!text.includes("{{")) return unescapeReferences(text);
  const parts = scope.expressions.template(text);
  const [only] = parts;
  if (parts.length === 1 && typeof only === "object") return wholeValue(only, scope, path, depth);
  return parts
    .map((part) => (typeof part === "string" ? unescapeReferences(part) : textOf(part, scope, path, depth)))
    .join("");
}

/** The value of a text that is one token. Of a policy that opted in, texts inside an object or list are evaluated, too. */
function wholeValue(token: Token, scope: Scope, path: string, depth: number): Json {
  const value = resolve(token, scope, path, depth);
  if (!scope.evaluatesValues || typeof value !== "object") return value;
  scope.environment.spent.steps += measure(value);
  return substitute(value, ofValues(scope), path, depth + 1);
}

/** The text that stands for a token among other text. Of a policy that opted in, it is evaluated in turn. */
function textOf(token: Token, scope: Scope, path: string, depth: number): string {
  const text = toText(resolve(token, scope, path, depth));
  if (!scope.evaluatesValues || token.shallow || !text.includes("{{")) return text;
  if (depth >= MAX_DEPTH) throw new RuleError(`${path}: values hold expressions that give expressions without an end`);
  scope.environment.spent.steps += text.length;
  return toText(substituteText(text, ofValues(scope), path, depth + 1));
}

/** Texts of objects are not the same few: they stay out of the policies' cache. */
function ofValues(scope: Scope): Scope {
  return { ...scope, expressions: new ExpressionCache() };
}

/** Evaluates a bare expression, one that stands without braces as in `jmesPath`. @throws RuleError */
export function evaluate(expression: string, document: Json, scope: Scope, path: string): Json {
  if (document === scope.document)
    for (const [name, failure] of scope.failures) if (mentions(expression, name)) throw failure;
  try {
    return interpret(scope.expressions.parse(expression), document, scope.environment);
  } catch (error) {
    const hint = error instanceof MissingKeyError ? ": correct it, or give it a default, such as || ''" : "";
    throw new RuleError(`${path}: failed to resolve {{ ${expression.trim()} }}: ${messageOf(error)}${hint}`);
  }
}

/** A key that gives null stays as it is written; any other type but a string is an error. */
function substituteKey(key: string, scope: Scope, path: string): string {
  const result = substituteText(key, scope, path);
  if (typeof result === "string") return result;
  if (result === null) return key;
  throw new RuleError(`${path}: the key "${key}" must give a string and gives ${toText(result).slice(0, 80)}`);
}

function resolve(token: Token, scope: Scope, path: string, depth: number): Json {
  const expression = expressionOf(token.parts, scope, path, depth);
  return evaluate(expression, scope.document, scope, path);
}

function expressionOf(parts: TemplatePart[], scope: Scope, path: string, depth: number): string {
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") text += part;
    else if (scope.evaluatesValues) text += textOf(part, scope, path, depth);
    else text += placeInExpression(text, resolve(part, scope, path, depth), path);
  }
  return text;
}

/** Whether an expression uses a context entry: its name at a word boundary, not after a dot. */
export function mentions(expression: string, name: string): boolean {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\w.])${escaped}(?!\\w)`).test(expression);
}

/** `\$(x)` is the text `$(x)`; unescaped references were refused when the policy was read. */
function unescapeReferences(text: string): string {
  return text.replaceAll("\\$(", "$(");
}
