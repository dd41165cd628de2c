import type { Node, Operand, PipeNode, Statement } from "./ast.ts";
import { quote } from "./format/quote.ts";

/** A node written out again as Go writes it between `<` and `>` in its errors: single spaces, literals as they were. */
export function nodeText(node: Node): string {
  switch (node.type) {
    case "text":
      return node.text;
    case "action":
      return `{{${nodeText(node.pipe)}}}`;
    case "if":
    case "with":
    case "range":
      return branchText(node.type, node.pipe, node.body, node.otherwise);
    case "template":
      return `{{template ${quote(node.name)}${node.pipe === undefined ? "" : ` ${nodeText(node.pipe)}`}}}`;
    case "break":
    case "continue":
      return `{{${node.type}}}`;
    case "command":
      return node.args.map(operandText).join(" ");
    case "pipe":
      return variablesText(node) + node.commands.map(nodeText).join(" | ");
    case "field":
      return dotted(node.fields);
    case "variable":
      return node.name + dotted(node.fields);
    case "chain":
      return operandText(node.node) + dotted(node.fields);
    case "identifier":
      return node.name;
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(node.value);
    case "number":
      return node.text;
    case "string":
      return node.quoted;
  }
}

const dotted = (fields: string[]): string => fields.map((field) => `.${field}`).join("");

const operandText = (node: Operand): string => (node.type === "pipe" ? `(${nodeText(node)})` : nodeText(node));

function variablesText(pipe: PipeNode): string {
  if (pipe.variables.length === 0) return "";
  return pipe.variables.map(nodeText).join(", ") + (pipe.assign ? " = " : " := ");
}

function branchText(keyword: string, pipe: PipeNode, body: Statement[], otherwise: Statement[] | undefined): string {
  const rest = otherwise === undefined ? "" : `{{else}}${otherwise.map(nodeText).join("")}`;
  return `{{${keyword} ${nodeText(pipe)}}}${body.map(nodeText).join("")}${rest}{{end}}`;
}
