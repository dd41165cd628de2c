/**
 * The tree of a Go template, as text/template/parse builds it. `pos` is a UTF-16 offset into the source and stands where
 * Go's node stands, because errors blame nodes by position (a field chain is at its second dot, for example).
 */
export type Operand =
  | FieldNode
  | VariableNode
  | ChainNode
  | IdentifierNode
  | PipeNode
  | DotNode
  | NilNode
  | BoolNode
  | NumberNode
  | StringNode;

export interface FieldNode {
  type: "field";
  pos: number;
  fields: string[];
}
export interface VariableNode {
  type: "variable";
  pos: number;
  /** With its `$`. */
  name: string;
  fields: string[];
}
export interface ChainNode {
  type: "chain";
  pos: number;
  node: Operand;
  fields: string[];
}
export interface IdentifierNode {
  type: "identifier";
  pos: number;
  name: string;
}
export interface DotNode {
  type: "dot";
  pos: number;
}
export interface NilNode {
  type: "nil";
  pos: number;
}
export interface BoolNode {
  type: "bool";
  pos: number;
  value: boolean;
}
export interface NumberNode {
  type: "number";
  pos: number;
  text: string;
  constant: NumberConstant;
}
export interface StringNode {
  type: "string";
  pos: number;
  quoted: string;
  value: string;
}

/** What a number literal stands for; `overflow` parses in Go but cannot be evaluated. */
export type NumberConstant =
  | { kind: "int"; value: bigint }
  | { kind: "float64"; value: number }
  | { kind: "complex128"; real: number; imag: number }
  | { kind: "overflow" };

export interface CommandNode {
  type: "command";
  pos: number;
  args: Operand[];
}

export interface PipeNode {
  type: "pipe";
  pos: number;
  /** Declared (`:=`) or, with `assign`, assigned (`=`) variables. */
  variables: VariableNode[];
  assign: boolean;
  commands: CommandNode[];
}

export interface TextNode {
  type: "text";
  pos: number;
  text: string;
}
export interface ActionNode {
  type: "action";
  pos: number;
  pipe: PipeNode;
  /** Names of the contextual escapers the HTML analysis put behind the pipeline, in order. */
  escapers?: string[];
}
export interface BranchNode {
  type: "if" | "with" | "range";
  pos: number;
  pipe: PipeNode;
  body: Statement[];
  otherwise: Statement[] | undefined;
}
export interface TemplateNode {
  type: "template";
  pos: number;
  name: string;
  pipe: PipeNode | undefined;
}
export interface JumpNode {
  type: "break" | "continue";
  pos: number;
}

export type Statement = TextNode | ActionNode | BranchNode | TemplateNode | JumpNode;
export type Node = Statement | Operand | CommandNode;

/** One named template of a source: the source itself, a `define`, or a `block`. */
export interface Definition {
  name: string;
  body: Statement[];
}
