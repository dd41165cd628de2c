import type {} from "handlebars";

/** Builders of Handlebars' syntax tree. Nodes carry no `loc`: faults are placed by the number every helper call carries. */
type Expression = hbs.AST.Expression;
type Statement = hbs.AST.Statement;

const loc = undefined as unknown as hbs.AST.SourceLocation;
const strip: hbs.AST.StripFlags = { open: false, close: false };

function helperPath(name: string): hbs.AST.PathExpression {
  return { type: "PathExpression", loc, data: false, depth: 0, parts: [name], original: name };
}

/** The context: Go's dot. */
export const dotPath = (): hbs.AST.PathExpression => ({
  type: "PathExpression",
  loc,
  data: false,
  depth: 0,
  parts: [],
  original: "this",
});

export const text = (value: string): hbs.AST.ContentStatement => ({
  type: "ContentStatement",
  loc,
  value,
  original: strip,
});

export const string = (value: string): hbs.AST.StringLiteral => ({
  type: "StringLiteral",
  loc,
  value,
  original: value,
});

export const number = (value: number): hbs.AST.NumberLiteral => ({
  type: "NumberLiteral",
  loc,
  value,
  original: value,
});

export const boolean = (value: boolean): hbs.AST.BooleanLiteral => ({
  type: "BooleanLiteral",
  loc,
  value,
  original: value,
});

export const undefinedLiteral = (): Expression => ({ type: "UndefinedLiteral", loc });

const noHash = undefined as unknown as hbs.AST.Hash;

/** `(name params…)` */
export function call(name: string, params: Expression[]): hbs.AST.SubExpression {
  return { type: "SubExpression", loc, path: helperPath(name), params, hash: noHash };
}

/** `{{{name params…}}}` */
export function mustache(name: string, params: Expression[]): hbs.AST.MustacheStatement {
  return { type: "MustacheStatement", loc, path: helperPath(name), params, hash: noHash, escaped: false, strip };
}

/** `{{#name params…}}body{{else}}otherwise{{/name}}` */
export function block(
  name: string,
  params: Expression[],
  body: Statement[],
  otherwise?: Statement[],
): hbs.AST.BlockStatement {
  const inverse = otherwise === undefined ? (undefined as unknown as hbs.AST.Program) : program(otherwise);
  return {
    type: "BlockStatement",
    loc,
    path: helperPath(name),
    params,
    hash: noHash,
    program: program(body),
    inverse,
    openStrip: strip,
    inverseStrip: strip,
    closeStrip: strip,
  };
}

export const program = (body: Statement[]): hbs.AST.Program => ({ type: "Program", loc, body, blockParams: [] });
