/** Whether a subject can come out empty, which a mail shows as "(no subject)". */
import type { CommandNode, Definition, PipeNode, Statement } from "../template/ast.ts";
import { MAIN } from "./template-uses.ts";

export type Emptiness = "never" | "possible" | "always";

/** How a subject's template can turn out, whatever the data. */
export function emptinessOf(definitions: Map<string, Definition>): Emptiness {
  return ofBody(definitions.get(MAIN)?.body ?? [], { definitions, known: new Map() });
}

interface Templates {
  definitions: Map<string, Definition>;
  /** What was found of each so far; "possible" while it is being looked at. */
  known: Map<string, Emptiness>;
}

function ofBody(body: Statement[], templates: Templates): Emptiness {
  const kinds = body.map((node) => ofStatement(node, templates));
  if (kinds.includes("never")) return "never";
  return kinds.includes("possible") ? "possible" : "always";
}

function ofStatement(node: Statement, templates: Templates): Emptiness {
  switch (node.type) {
    case "text":
      return node.text.trim() === "" ? "always" : "never";
    case "action":
      return ofPipe(node.pipe);
    case "if":
    case "with":
    case "range": {
      const branches = [ofBody(node.body, templates), ofBody(node.otherwise ?? [], templates)];
      if (branches.every((branch) => branch === "never")) return "never";
      return branches.every((branch) => branch === "always") ? "always" : "possible";
    }
    case "template":
      return ofTemplate(node.name, templates);
    default:
      return "always";
  }
}

function ofTemplate(name: string, templates: Templates): Emptiness {
  const found = templates.known.get(name);
  if (found !== undefined) return found;
  templates.known.set(name, "possible");
  const emptiness = ofBody(templates.definitions.get(name)?.body ?? [], templates);
  templates.known.set(name, emptiness);
  return emptiness;
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
