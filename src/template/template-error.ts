/** Where a template failed: while parsing, in the analysis for HTML, while rendering, or at one of courier's bounds. */
export type TemplateStage = "parse" | "escape" | "exec" | "limit";

export interface TemplateFault {
  stage: TemplateStage;
  /** What is wrong, without the place. */
  problem: string;
  /** 1-based; 0 when the fault belongs to no line. */
  line: number;
  /** 1-based, in characters. */
  column: number;
  /** Go's own text for this fault, the place included. */
  goMessage: string;
}

/**
 * The only error that compiling or rendering a template throws. `message` is `name:line:column: problem`, ready to stand
 * in a status; `goMessage` is what Go's text/template or html/template would say.
 */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
  readonly stage: TemplateStage;
  readonly problem: string;
  readonly line: number;
  readonly column: number;
  readonly goMessage: string;

  constructor(part: string, fault: TemplateFault, options?: ErrorOptions) {
    super(
      fault.line > 0 ? `${part}:${fault.line}:${fault.column}: ${fault.problem}` : `${part}: ${fault.problem}`,
      options,
    );
    this.stage = fault.stage;
    this.problem = fault.problem;
    this.line = fault.line;
    this.column = fault.column;
    this.goMessage = fault.goMessage;
  }
}

export interface Place {
  /** 1-based. */
  line: number;
  /** 1-based, in characters: what an editor shows. */
  column: number;
  /** 0-based, in UTF-8 bytes from the line's beginning: what Go prints. */
  byteColumn: number;
}

/** The place of a UTF-16 offset in a template's source. */
export function placeOf(source: string, offset: number): Place {
  const before = source.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  const inLine = before.slice(lineStart);
  const line = before.split("\n").length;
  return { line, column: [...inLine].length + 1, byteColumn: Buffer.byteLength(inLine) };
}
