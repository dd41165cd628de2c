import type { ActionNode, Statement } from "./ast.ts";
import * as hbs from "./hbs.ts";
import { escapeDefinitions } from "./html/analysis.ts";

type Program = globalThis.hbs.AST.Program;
type Node = globalThis.hbs.AST.Statement;
type Mustache = globalThis.hbs.AST.MustacheStatement;
type Block = globalThis.hbs.AST.BlockStatement;

/** The helper that escapes a value: (value, escaper…). */
export const ESCAPE_HELPER = "$escape";

/**
 * Gives every value of a Handlebars template the escapers of the place where it stands, by the same analysis as Go templates get:
 * the template is told in Go's nodes, analysed, and rewritten in place. @throws TemplateError stage "escape"
 */
export function escapeHandlebars(ast: Program, name: string, source: string): void {
  const starts = [0, ...Array.from(source.matchAll(/\n/g), ({ index }) => index + 1)];
  const offset = ({ loc }: Node): number => (starts[loc.start.line - 1] ?? 0) + loc.start.column;
  const body = tell(ast, offset);
  const escaped = escapeDefinitions(new Map([[name, { name, body }]]), { name, source }).get(name);
  rewrite(ast, escaped?.body ?? []);
}

/** Makes a text of every value: Handlebars alone would add up numbers that stand side by side. */
export function printHandlebars(ast: Program): void {
  rewrite(
    ast,
    tell(ast, () => 0),
  );
}

const told = (program: Program | undefined): Node[] => (program?.body ?? []).filter(({ type }) => TOLD.has(type));
const TOLD = new Set(["ContentStatement", "MustacheStatement", "BlockStatement"]);

/** Every block may run not at all, once or more often, as a loop does. */
function tell(program: Program | undefined, offset: (node: Node) => number): Statement[] {
  return told(program).map((node): Statement => {
    const pos = offset(node);
    if (node.type === "ContentStatement")
      return { type: "text", pos, text: (node as globalThis.hbs.AST.ContentStatement).value };
    const { path } = node as Mustache | Block;
    const field = "original" in path ? String(path.original) : "";
    const args: ActionNode["pipe"]["commands"][0]["args"] = [{ type: "field", pos, fields: [field] }];
    const pipe: ActionNode["pipe"] = {
      type: "pipe",
      pos,
      variables: [],
      assign: false,
      commands: [{ type: "command", pos, args }],
    };
    if (node.type === "MustacheStatement") return { type: "action", pos, pipe };
    const { program: inner, inverse } = node as Block;
    return { type: "range", pos, pipe, body: tell(inner, offset), otherwise: tell(inverse, offset) };
  });
}

function rewrite(program: Program | undefined, statements: Statement[]): void {
  for (const [index, node] of told(program).entries()) {
    const statement = statements[index];
    if (statement?.type === "text") Object.assign(node, { value: statement.text });
    if (statement?.type === "action") {
      const value = (node as Mustache).path as globalThis.hbs.AST.PathExpression;
      Object.assign(node, hbs.mustache(ESCAPE_HELPER, [value, ...(statement.escapers ?? []).map(hbs.string)]), {
        loc: node.loc,
      });
    }
    if (statement?.type === "range") {
      rewrite((node as Block).program, statement.body);
      rewrite((node as Block).inverse, statement.otherwise ?? []);
    }
  }
}
