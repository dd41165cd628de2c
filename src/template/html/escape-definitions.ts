import type { Definition, Statement } from "../ast.ts";

/** Puts an escaper behind every action that prints. */
export function escapeDefinitions(definitions: ReadonlyMap<string, Definition>): void {
  for (const { body } of definitions.values()) escapeList(body);
}

function escapeList(nodes: Statement[]): void {
  for (const node of nodes) {
    if (node.type === "action" && node.pipe.variables.length === 0) node.escapers = ["html"];
    if ("body" in node) {
      escapeList(node.body);
      escapeList(node.otherwise ?? []);
    }
  }
}
