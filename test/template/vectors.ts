import { readFileSync } from "node:fs";
import { compileTemplate } from "../../src/template/compile-template.ts";
import { parseData } from "../../src/template/parse-data.ts";
import { TemplateError } from "../../src/template/template-error.ts";

/** One case of a file of Go conformance vectors. */
export interface VectorCase {
  name: string;
  mode: "text" | "html";
  template: string;
  dataJSON: string;
  output?: string;
  error?: string;
}

/** What became of a case: nothing to say when it passed. */
export interface VectorResult {
  vector: VectorCase;
  passed: boolean;
  got: string;
}

export function readVectors(file: string | URL): VectorCase[] {
  return (JSON.parse(readFileSync(file, "utf8")) as { cases: VectorCase[] }).cases;
}

/** Renders a case and compares output and error text with Go's. */
export function runVector(vector: VectorCase): VectorResult {
  const outcome = render(vector);
  const passed =
    vector.error === undefined ? outcome.output === vector.output : outcome.error?.goMessage === vector.error;
  return {
    vector,
    passed,
    got:
      outcome.error === undefined
        ? JSON.stringify(outcome.output)
        : `${outcome.error.stage}: ${outcome.error.goMessage}`,
  };
}

function render({ template, mode, dataJSON }: VectorCase): { output?: string; error?: TemplateError } {
  try {
    return { output: compileTemplate(template, { name: "t", mode }).render(parseData(dataJSON)) };
  } catch (error) {
    if (error instanceof TemplateError) return { error };
    throw error;
  }
}
