import { readFileSync } from "node:fs";
import { compileTemplate, parseData, TemplateError } from "../../src/template/index.ts";

/** One case of a file of Go conformance vectors. */
export interface VectorCase {
  name: string;
  mode: "text" | "html";
  template: string;
  dataJSON: string;
  output?: string;
  error?: string;
}

export interface VectorResult {
  vector: VectorCase;
  passed: boolean;
  wanted: string;
  got: string;
}

export function readVectors(file: string | URL): VectorCase[] {
  return (JSON.parse(readFileSync(file, "utf8")) as { cases: VectorCase[] }).cases;
}

/**
 * Renders a case and compares output and error text with Go's. An html case with a value in a script, a style, an event
 * handler or an attribute's name passes by being refused for that place, or with Go's error where Go, too, refuses it.
 */
export function runVector(vector: VectorCase): VectorResult {
  const { output, error } = render(vector);
  const got = error === undefined ? JSON.stringify(output) : `${error.stage}: ${error.goMessage}`;
  const place = vector.mode === "html" ? refusedPlace(vector.template) : undefined;
  const isSame = vector.error === undefined ? output === vector.output : error?.goMessage === vector.error;
  if (place !== undefined && !(isSame && error !== undefined)) {
    const passed =
      error?.stage === "escape" && error.line > 0 && error.column > 0 && error.problem.includes(`stands ${place}`);
    return { vector, passed, wanted: `refused: a value stands ${place}`, got };
  }
  return { vector, passed: isSame, wanted: vector.error ?? JSON.stringify(vector.output), got };
}

function render({ template, mode, dataJSON }: VectorCase): { output?: string; error?: TemplateError } {
  try {
    return { output: compileTemplate(template, { name: "t", mode }).render(parseData(dataJSON)) };
  } catch (error) {
    if (error instanceof TemplateError) return { error };
    throw error;
  }
}

/** Stands for an action that prints, or for what a called template prints. */
const VALUE = "\u0001";
const VALUES = new RegExp(VALUE);

/**
 * Where a template has a value that courier refuses: worked out from the text alone, apart from the analysis under test.
 * The first such place counts, as the analysis goes from the beginning.
 */
export function refusedPlace(template: string): string | undefined {
  const html = withMarks(template);
  const tokens =
    /<!--[\s\S]*?(?:-->|$)|<(script|style)\b((?:"[^"]*"|'[^']*'|[^>"'])*)>((?:"[^"\n]*"|'[^'\n]*'|(?!<\/\1[\s/>])[\s\S])*)|<(?:textarea|title)\b[\s\S]*?<\/(?:textarea|title)|<\/?[a-zA-Z]((?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^>"'])*)/gi;
  for (const [, element, attributes = "", body = "", tag = ""] of html.matchAll(tokens)) {
    const place =
      attributePlace(attributes + tag) ?? (VALUES.test(body) ? `inside <${element?.toLowerCase()}>` : undefined);
    if (place !== undefined) return place;
  }
  return undefined;
}

/** The template with every printing action as a mark and all others gone, called templates in their callers' places. */
function withMarks(template: string): string {
  const definitions = new Map<string, string>();
  const main = template.replace(
    /\{\{-?\s*define\s+"(\w+)"\s*-?\}\}([\s\S]*?)\{\{-?\s*end\s*-?\}\}/g,
    (_, name: string, body: string) => {
      if (!/\{\{-?\s*(?:if|range|with|block)\b/.test(body)) definitions.set(name, body);
      return "";
    },
  );
  const inlined = main.replace(
    /\{\{-?\s*template\s+"(\w+)"[^}]*\}\}/g,
    (_, name: string) => definitions.get(name) ?? "",
  );
  const silent =
    /\{\{-?\s*(?:\/\*[\s\S]*?\*\/|(?:if|else|end|range|with|define|break|continue|template|block)\b[^}]*|\$\w*\s*:?=[^}]*)\s*-?\}\}/g;
  return inlined.replace(silent, "").replace(/\{\{[\s\S]*?\}\}/g, VALUE);
}

function attributePlace(tag: string): string | undefined {
  const attribute = /([^\s=>"'/]+)\s*(?:=\s*("[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s>]*))?/g;
  for (const [, name = "", value = ""] of tag.matchAll(attribute)) {
    if (VALUES.test(name)) return "in the name of an attribute";
    if (/^(?:data-|\w+:)?on/i.test(name) && VALUES.test(value)) return "in an event handler attribute";
  }
  return undefined;
}
