import type { Definition, Statement, TemplateNode } from "../ast.ts";
import { quote } from "../format/quote.ts";
import { misplacedEscaper } from "./escape-action.ts";

/** What the analysis complains of, whatever the context. */
export interface Fault {
  node: Statement;
  problem: string;
}

export const noSuchTemplate = (name: string): string => `no such template ${quote(name)}`;
export const disallowedEscaper = (name: string): string => `predefined escaper ${quote(name)} disallowed in template`;

/**
 * html/template goes on behind an error, without a context; the two faults that need none then take the error's place, so that
 * of several it reports the last of these.
 */
export class LaterFaults {
  readonly definitions: ReadonlyMap<string, Definition>;
  /** By called template; undefined also while it is being looked at. */
  readonly #found = new Map<string, Fault | undefined>();

  constructor(definitions: ReadonlyMap<string, Definition>) {
    this.definitions = definitions;
  }

  last(nodes: Statement[]): Fault | undefined {
    let fault: Fault | undefined;
    for (const node of nodes) {
      if (node.type === "break" || node.type === "continue") break;
      fault = this.#faultOf(node) ?? fault;
    }
    return fault;
  }

  #faultOf(node: Statement): Fault | undefined {
    switch (node.type) {
      case "action": {
        const name = node.pipe.variables.length > 0 ? undefined : misplacedEscaper(node, undefined);
        return name === undefined ? undefined : { node, problem: disallowedEscaper(name) };
      }
      case "if":
      case "with":
      case "range":
        return this.last(node.body); // of two branches in error, Go takes the first
      case "template":
        return this.#faultIn(node);
      default:
        return undefined;
    }
  }

  #faultIn(node: TemplateNode): Fault | undefined {
    const { name } = node;
    const definition = this.definitions.get(name);
    if (definition === undefined) return { node, problem: noSuchTemplate(name) };
    if (!this.#found.has(name)) {
      this.#found.set(name, undefined);
      this.#found.set(name, this.last(definition.body));
    }
    return this.#found.get(name);
  }
}
