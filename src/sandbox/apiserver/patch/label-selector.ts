import { badRequest } from "../protocol/api-error.ts";

type Labels = Record<string, string>;
type Requirement = (labels: Labels) => boolean;

const TOKEN = /\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)/y;
const SYMBOLS = new Set(["==", "!=", "=", "!", "<", ">", "(", ")", ","]);
const VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const KEY_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const KEY_PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const VALUE_RULE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const NAME_RULE =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const PREFIX_RULE =
  "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/**
 * Reads a label selector (`a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`) as the question whether labels match it.
 * @throws ApiError 400 with apimachinery's wording
 */
export function parseLabelSelector(text: string): (labels: Record<string, string> | undefined) => boolean {
  const tokens = new Tokens(text);
  const requirements: Requirement[] = [];
  while (tokens.peek() !== "") {
    if (isSymbol(tokens.peek()) && tokens.peek() !== "!") {
      throw badRequest(`found '${tokens.peek()}', expected: !, identifier, or 'end of string'`);
    }
    requirements.push(parseRequirement(tokens));
    const next = tokens.take();
    if (next === "") break;
    if (next !== ",") throw badRequest(`found '${next}', expected: ',' or 'end of string'`);
    if (tokens.peek() === "" || (isSymbol(tokens.peek()) && tokens.peek() !== "!")) {
      throw badRequest(`found '${tokens.peek()}', expected: identifier after ','`);
    }
  }
  return (labels = {}) => requirements.every((isMet) => isMet(labels));
}

class Tokens {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next token; "" at the end. */
  peek(): string {
    TOKEN.lastIndex = this.#at;
    return TOKEN.exec(this.#text)?.[1] ?? "";
  }

  take(): string {
    const token = this.peek();
    if (token !== "") this.#at = TOKEN.lastIndex;
    return token;
  }
}

const isSymbol = (token: string): boolean => SYMBOLS.has(token);

function parseRequirement(tokens: Tokens): Requirement {
  const isNegated = tokens.peek() === "!" && tokens.take() === "!";
  const key = tokens.take();
  if (key === "" || isSymbol(key)) throw unparsable(`found '${key}', expected: identifier`);
  checkKey(key);
  if (isNegated) return (labels) => !Object.hasOwn(labels, key);
  const next = tokens.peek();
  if (next === "" || next === ",") return (labels) => Object.hasOwn(labels, key);
  return parseComparison(key, tokens);
}

function parseComparison(key: string, tokens: Tokens): Requirement {
  const operator = tokens.take();
  switch (operator) {
    case "=":
    case "==":
      return isIn(key, [checkValue(key, exactValue(tokens))]);
    case "!=":
      return isNotIn(key, [checkValue(key, exactValue(tokens))]);
    case "in":
      return isIn(key, parseValues(key, tokens));
    case "notin":
      return isNotIn(key, parseValues(key, tokens));
    case "<":
    case ">":
      return comparesTo(key, operator, exactValue(tokens));
    default:
      throw unparsable(`found '${operator}', expected: '=', '!=', '==', 'in', notin'`);
  }
}

/** The value may be missing: `a=` asks for an empty one. */
function exactValue(tokens: Tokens): string {
  if (tokens.peek() === "" || tokens.peek() === ",") return "";
  const value = tokens.take();
  if (isSymbol(value)) throw unparsable(`found '${value}', expected: identifier`);
  return value;
}

function parseValues(key: string, tokens: Tokens): string[] {
  const open = tokens.take();
  if (open !== "(") throw unparsable(`found '${open}' expected: '('`);
  const values: string[] = [];
  for (;;) {
    const hasValue = tokens.peek() !== "" && !isSymbol(tokens.peek());
    values.push(checkValue(key, hasValue ? tokens.take() : ""));
    const next = tokens.take();
    if (next === ")") return values;
    if (next !== ",") throw unparsable(`found '${next}', expected: ',' or ')'`);
  }
}

function isIn(key: string, values: string[]): Requirement {
  return (labels) => Object.hasOwn(labels, key) && values.includes(labels[key] ?? "");
}

function isNotIn(key: string, values: string[]): Requirement {
  return (labels) => !isIn(key, values)(labels);
}

function comparesTo(key: string, operator: "<" | ">", bound: string): Requirement {
  if (!/^-?\d+$/.test(bound)) throw unparsable("for 'Gt', 'Lt' operators, the value must be an integer");
  return (labels) => {
    const value = Object.hasOwn(labels, key) ? (labels[key] ?? "") : "";
    if (!/^-?\d+$/.test(value)) return false;
    return operator === "<" ? BigInt(value) < BigInt(bound) : BigInt(value) > BigInt(bound);
  };
}

function checkKey(key: string): void {
  const why = keyProblem(key);
  if (why !== undefined) throw unparsable(`invalid label key ${JSON.stringify(key)}: ${why}`);
}

function keyProblem(key: string): string | undefined {
  const parts = key.split("/");
  const name = parts.at(-1) ?? "";
  const prefix = parts.length === 2 ? parts[0] : undefined;
  if (parts.length > 2) return `a qualified name ${NAME_RULE.slice("name part ".length)}`;
  if (prefix === "") return "prefix part must be non-empty";
  if (prefix !== undefined && prefix.length > 253) return "prefix part must be no more than 253 characters";
  if (prefix !== undefined && !KEY_PREFIX.test(prefix)) return PREFIX_RULE;
  if (name === "") return "name part must be non-empty";
  if (name.length > 63) return "name part must be no more than 63 characters";
  return KEY_NAME.test(name) ? undefined : NAME_RULE;
}

function checkValue(key: string, value: string): string {
  const why = value.length > 63 ? "must be no more than 63 characters" : VALUE.test(value) ? undefined : VALUE_RULE;
  if (why !== undefined)
    throw unparsable(`invalid label value: ${JSON.stringify(value)}: at key: ${JSON.stringify(key)}: ${why}`);
  return value;
}

const unparsable = (why: string) => badRequest(`unable to parse requirement: ${why}`);
