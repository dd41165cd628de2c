import { order } from "../../operators/ordering.ts";
import { ExpressionError } from "../errors.ts";
import { define } from "./signature.ts";

/** Kyverno's function on versions; ranges as its library (blang/semver) reads them, which is not how npm does. */
export const VERSIONS = {
  semver_compare: define<[string, string]>(["string", "string"], ([version, range]) => {
    requireVersion(version);
    return parseRange(range).some((all) => all.every(({ operator, bound }) => holds(version, operator, bound)));
  }),
};

const SHAPE = /^\d+\.\d+\.\d+(?:[-+].*)?$/;
const MAX_RANGE_LENGTH = 1_000;

interface Bound {
  operator: string;
  bound: string;
}

/** Alternatives between `||`, each a list of bounds that must all hold. @throws ExpressionError */
function parseRange(text: string): Bound[][] {
  if (text.length > MAX_RANGE_LENGTH) throw refusal("range", `${text.slice(0, 40)}…`);
  return text.split("||").map((part) => {
    const words = part
      .replace(/([<>=]) +/g, "$1")
      .split(" ")
      .filter((word) => word !== "");
    if (words.length === 0) throw refusal("range", text);
    return words.flatMap(parseBound);
  });
}

/** One bound, or the two that a wildcard stands for: `1.2.x` is `>=1.2.0 <1.3.0`. */
function parseBound(word: string): Bound[] {
  const [, operator = "", version = ""] = /^(|=|==|!|!=|<|<=|>|>=)(\d.*)$/.exec(word) ?? [];
  const wildcard = /^(\d{1,9})(?:\.(\d{1,9}))?(?:\.x){1,2}$/.exec(version);
  if (wildcard === null) {
    requireVersion(version);
    return [{ operator, bound: version }];
  }
  const parts = version.split(".").length;
  const major = Number(wildcard[1]);
  const minor = Number(wildcard[2] ?? 0);
  const first = `${major}.${minor}.0`;
  // 1.x.x ends with minor 1: the library goes by the number of parts.
  const next = parts === 2 ? `${major + 1}.${minor}.0` : `${major}.${minor + 1}.0`;
  switch (operator) {
    case ">":
      return [{ operator: ">=", bound: next }];
    case "<=":
      return [{ operator: "<", bound: next }];
    case ">=":
    case "<":
      return [{ operator, bound: first }];
    case "!":
    case "!=": // both at once, so it never holds: the library's own slip, and its result
      return [
        { operator: "<", bound: first },
        { operator: ">=", bound: next },
      ];
    default:
      return [
        { operator: ">=", bound: first },
        { operator: "<", bound: next },
      ];
  }
}

function holds(version: string, operator: string, bound: string): boolean {
  const result = order(version, bound);
  switch (operator) {
    case "<":
      return result === -1;
    case "<=":
      return result === -1 || result === 0;
    case ">":
      return result === 1;
    case ">=":
      return result === 1 || result === 0;
    case "!":
    case "!=":
      return result !== 0;
    default:
      return result === 0;
  }
}

function requireVersion(text: string): void {
  if (!SHAPE.test(text) || order(text, "0.0.0") === undefined) throw refusal("version", text);
}

function refusal(what: "version" | "range", text: string): ExpressionError {
  const example = what === "version" ? "1.2.3" : ">=1.2.0 <2.0.0 || 3.x";
  return new ExpressionError(
    `semver_compare() takes a ${what} such as ${example} and was given "${text.slice(0, 60)}"`,
  );
}
