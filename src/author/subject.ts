/** Whether a subject can come out empty, which a mail shows as "(no subject)". */
import type { CommandNode, Definition, PipeNode, Statement } from "../template/ast.ts";
import { MAIN } from "./template-uses.ts";

export type Emptiness = "never" | "possible" | "always";

/** How a subject's template can turn out, whatever the data. */
export function emptinessOf(definitions: Map<string, Definition>): Emptiness {
  return of(definitions.get(MAIN)?.body ?? [], definitions, new Set());
}

function of(body: Statement[], definitions: Map<string, Definition>, calls: ReadonlySet<string>): Emptiness {
  const kinds = body.map((node) => ofStatement(node, definitions, calls));
  if (kinds.includes("never")) return "never";
  return kinds.includes("possible") ? "possible" : "always";
}

function ofStatement(node: Statement, definitions: Map<string, Definition>, calls: ReadonlySet<string>): Emptiness {
  switch (node.type) {
    case "text":
      return node.text.trim() === "" ? "always" : "never";
    case "action":
      return ofPipe(node.pipe);
    case "if":
    case "with":
    case "range": {
      const branches = [of(node.body, definitions, calls), of(node.otherwise ?? [], definitions, calls)];
      if (branches.every((branch) => branch === "never")) return "never";
      return branches.every((branch) => branch === "always") ? "always" : "possible";
    }
    case "template":
      if (calls.has(node.name)) return "possible";
      return of(definitions.get(node.name)?.body ?? [], definitions, new Set([...calls, node.name]));
    default:
      return "always";
  }
}

function ofPipe({ commands, variables }: PipeNode): Emptiness {
  if (variables.length > 0) return "always"; // a declaration prints nothing
  const last = commands.at(-1);
  return last !== undefined && alwaysPrints(last) ? "never" : "possible";
}

/** A literal, `default "literal" …`, or a printf with text of its own. */
function alwaysPrints({ args: [first, second] }: CommandNode): boolean {
  if (first?.type === "string") return first.value.trim() !== "";
  if (first?.type === "number" || first?.type === "bool") return true;
  if (first?.type !== "identifier" || second?.type !== "string") return false;
  if (first.name === "default") return second.value.trim() !== "";
  return first.name === "printf" && second.value.replace(/%[-+# 0-9.[\]*]*[a-zA-Z]/g, "").trim() !== "";
}
