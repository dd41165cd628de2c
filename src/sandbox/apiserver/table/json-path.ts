/** One step of a path: a field, a list index, all entries, or those whose field equals a value. */
type Step =
  | { kind: "field"; name: string }
  | { kind: "index"; index: number }
  | { kind: "all" }
  | { kind: "filter"; path: Step[]; operator: "==" | "!="; value: unknown };

const FILTER = /^\?\(\s*@((?:\.|\[).*?)\s*(==|!=)\s*(.+?)\s*\)$/;

/**
 * Compiles the JSONPath of a printer column: `.spec.name`, `.list[0]`, `.list[*].x`, `['a.b']`, and
 * `.conditions[?(@.type=="Ready")].status`. @throws SyntaxError for anything else
 */
export function compileJsonPath(source: string): (root: unknown) => unknown[] {
  const steps = parseSteps(
    source
      .trim()
      .replace(/^\{(.*)\}$/, "$1")
      .replace(/^\$/, ""),
  );
  return (root) => walk([root], steps);
}

function parseSteps(source: string): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < source.length; ) {
    const [step, next] = source[at] === "[" ? parseBracket(source, at) : parseField(source, at);
    steps.push(step);
    at = next;
  }
  return steps;
}

function parseField(source: string, at: number): [Step, number] {
  const match = /^\.((?:\\.|[^.[\]\\])+)/.exec(source.slice(at));
  if (match?.[1] === undefined) throw new SyntaxError(`Cannot read JSONPath "${source}": unexpected text at ${at}`);
  const name = match[1].replace(/\\(.)/g, "$1");
  return [name === "*" ? { kind: "all" } : { kind: "field", name }, at + match[0].length];
}

function parseBracket(source: string, at: number): [Step, number] {
  const end = closingBracket(source, at);
  const inner = source.slice(at + 1, end).trim();
  return [bracketStep(inner, source), end + 1];
}

function bracketStep(inner: string, source: string): Step {
  if (inner === "*") return { kind: "all" };
  if (/^-?\d+$/.test(inner)) return { kind: "index", index: Number(inner) };
  const quoted = /^(['"])(.*)\1$/.exec(inner);
  if (quoted?.[2] !== undefined) return { kind: "field", name: quoted[2] };
  const filter = FILTER.exec(inner);
  if (filter === null) throw new SyntaxError(`Cannot read JSONPath "${source}": [${inner}] is not supported`);
  const [, path = "", operator, value = ""] = filter;
  return { kind: "filter", path: parseSteps(path), operator: operator === "!=" ? "!=" : "==", value: literal(value) };
}

function closingBracket(source: string, at: number): number {
  let quote = "";
  for (let index = at + 1; index < source.length; index++) {
    const character = source.charAt(index);
    if (quote !== "") quote = character === quote ? "" : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === "]") return index;
  }
  throw new SyntaxError(`Cannot read JSONPath "${source}": unclosed [`);
}

function literal(text: string): unknown {
  const quoted = /^(['"])(.*)\1$/.exec(text);
  if (quoted !== null) return quoted[2];
  if (text === "true" || text === "false") return text === "true";
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function walk(values: unknown[], steps: readonly Step[]): unknown[] {
  let current = values;
  for (const step of steps) current = current.flatMap((value) => stepInto(value, step));
  return current;
}

function stepInto(value: unknown, step: Step): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  if (step.kind === "field") {
    return Object.hasOwn(value, step.name) ? [(value as Record<string, unknown>)[step.name]] : [];
  }
  const entries: unknown[] = Array.isArray(value) ? value : Object.values(value);
  if (step.kind === "all") return entries;
  if (step.kind === "index")
    return step.index < entries.length && -step.index <= entries.length ? [entries.at(step.index)] : [];
  const { path, operator, value: wanted } = step;
  return entries.filter((entry) => (walk([entry], path)[0] === wanted) === (operator === "=="));
}
