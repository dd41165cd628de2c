import { compile, tokenize } from "@jmespath-community/jmespath";
import { messageOf } from "../errors.ts";
import { ExpressionSyntaxError } from "./errors.ts";
import { LIMITS } from "./limits.ts";

/** The library's syntax tree, which `interpret.ts` walks. */
export type Expression = ReturnType<typeof compile>;
type Node = Expression;

/** Kyverno's JMESPath is the original language: what the community added to it is refused, not half-supported. */
const NOT_IN_KYVERNO: Partial<Record<Node["type"], string>> = {
  Arithmetic: "arithmetic operators (use add(), subtract(), …; a key with a dash is written in double quotes)",
  Unary: "arithmetic signs",
  Ternary: "the ternary operator",
  LetExpression: "let",
  Variable: "$variables",
  Root: "$",
};

/**
 * Parses one JMESPath expression within bounds.
 * @param isFunction says which function names exist
 * @throws ExpressionSyntaxError
 */
export function parseExpression(text: string, isFunction: (name: string) => boolean): Expression {
  if (text.length > LIMITS.textLength)
    throw new ExpressionSyntaxError(
      `Expression of ${text.length} characters: at most ${LIMITS.textLength} are evaluated`,
    );
  const source = normalizeRawStrings(text);
  let tree: Expression;
  try {
    const { length } = tokenize(source);
    if (length > LIMITS.tokens) throw new Error(`it has ${length} tokens and at most ${LIMITS.tokens} are evaluated`);
    tree = compile(source);
  } catch (error) {
    throw new ExpressionSyntaxError(`Cannot parse expression "${shorten(text)}": ${messageOf(error)}`);
  }
  refuseUnknown(tree, text, isFunction);
  return tree;
}

/**
 * Doubles each backslash of a raw string ('…') that does not escape a quote: Kyverno's JMESPath keeps it, the library
 * would drop one of two. Also refuses what the library's lexer lets pass: an unclosed quote, brackets without end.
 */
function normalizeRawStrings(text: string): string {
  let result = "";
  let quote = "";
  let nesting = 0;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index);
    const next = text.charAt(index + 1);
    if (quote === "") {
      if (char === "'" || char === '"' || char === "`") quote = char;
      if ("([{".includes(char)) nesting += 1;
      if (")]}".includes(char)) nesting -= 1;
      if (nesting > LIMITS.nesting)
        throw new ExpressionSyntaxError(`Expression nested deeper than ${LIMITS.nesting} brackets: "${shorten(text)}"`);
      result += char;
    } else if (char === "\\" && quote === "'" && next !== "'") result += "\\\\";
    else if (char === "\\" && (next === quote || (next === "\\" && quote !== "'"))) {
      result += char + next;
      index += 1;
    } else {
      if (char === quote) quote = "";
      result += char;
    }
  }
  if (quote !== "")
    throw new ExpressionSyntaxError(`Cannot parse expression "${shorten(text)}": a ${quote} is not closed`);
  return result;
}

function refuseUnknown(root: Node, text: string, isFunction: (name: string) => boolean): void {
  const pending: Node[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const refused = NOT_IN_KYVERNO[node.type];
    if (refused !== undefined)
      throw new ExpressionSyntaxError(`Cannot use "${shorten(text)}": JMESPath in policies has no ${refused}`);
    if (node.type === "Function" && !isFunction(node.name))
      throw new ExpressionSyntaxError(`Cannot use "${shorten(text)}": ${explainAbsence(node.name)}`);
    pending.push(...childrenOf(node));
  }
}

/** The one function of Kyverno that is left out: it would let a policy's author make the generator ask any name server. */
function explainAbsence(name: string): string {
  if (name !== "is_external_url") return `there is no function ${name}()`;
  return "is_external_url() looks names up in DNS, which courier's generator does not do: compare the host with regex_match()";
}

function childrenOf(node: Node): Node[] {
  switch (node.type) {
    case "Subexpression":
    case "IndexExpression":
    case "Projection":
    case "ValueProjection":
    case "Pipe":
    case "OrExpression":
    case "AndExpression":
    case "Comparator":
      return [node.left, node.right];
    case "FilterProjection":
      return [node.left, node.right, node.condition];
    case "Flatten":
    case "NotExpression":
    case "ExpressionReference":
      return [node.child];
    case "Function":
    case "MultiSelectList":
      return node.children;
    case "MultiSelectHash":
      return node.children.map(({ value }) => value);
    default:
      return [];
  }
}

function shorten(text: string): string {
  return text.length <= 120 ? text.trim() : `${text.slice(0, 117).trim()}…`;
}
