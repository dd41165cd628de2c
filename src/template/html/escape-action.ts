import type { ActionNode, CommandNode } from "../ast.ts";
import type { Context } from "./context.ts";
import type { Escaper } from "./escapers.ts";

/** The escapers of a value in a context, in order; undefined where branches left it open which part of an address it is. */
export function escapersFor({ state, delim, urlPart }: Context): Escaper[] | undefined {
  const escapers: Escaper[] = [];
  switch (state) {
    case "URL":
    case "CSSDqStr":
    case "CSSSqStr":
    case "CSSDqURL":
    case "CSSSqURL":
    case "CSSURL":
      if (urlPart === "Unknown") return undefined;
      if (urlPart === "QueryOrFrag") escapers.push("urlescaper");
      if (urlPart === "None") escapers.push("urlfilter");
      if (urlPart !== "QueryOrFrag")
        escapers.push(state === "CSSDqStr" || state === "CSSSqStr" ? "cssescaper" : "urlnormalizer");
      break;
    case "MetaContentURL":
      escapers.push("urlfilter");
      break;
    case "CSS":
      escapers.push("cssvaluefilter");
      break;
    case "Text":
      escapers.push("htmlescaper");
      break;
    case "RCDATA":
      escapers.push("rcdataescaper");
      break;
    case "Srcset":
      escapers.push("srcsetescaper");
      break;
    case "HTMLCmt":
    case "CSSBlockCmt":
    case "CSSLineCmt":
      escapers.push("commentescaper");
      break;
    default:
      break; // a plain attribute needs what its quotes need
  }
  if (delim !== "None") escapers.push(delim === "SpaceOrTagEnd" ? "nospaceescaper" : "attrescaper");
  return escapers;
}

/** Which of a template's own escapers does the work of which of ours. */
const EQUIVALENT: Partial<Record<Escaper, "html" | "urlquery">> = {
  attrescaper: "html",
  htmlescaper: "html",
  rcdataescaper: "html",
  urlescaper: "urlquery",
  urlnormalizer: "urlquery",
};

/** Escapers after which a quoted attribute needs no further one. */
const SUFFICIENT: ReadonlySet<Escaper> = new Set<Escaper>(["commentescaper", "cssescaper"]);

/** The name of an `html` or `urlquery` that stands elsewhere than at an action's end, or where it does not do enough. */
export function misplacedEscaper({ pipe }: ActionNode, context: Context | undefined): string | undefined {
  const isBare = context?.state === "Attr" && context.delim === "SpaceOrTagEnd";
  for (const [index, command] of pipe.commands.entries()) {
    const own = ownEscaper(command);
    if (own !== undefined && (index < pipe.commands.length - 1 || (isBare && own === "html"))) return own;
  }
  return undefined;
}

/** Puts escapers behind an action. `html` or `urlquery` at its end takes the place of the one that would do the same. */
export function withEscapers(node: ActionNode, escapers: Escaper[]): ActionNode {
  const { commands } = node.pipe;
  const last = commands.at(-1);
  const own = last && ownEscaper(last);
  if (last === undefined || own === undefined) return { ...node, escapers: compact(escapers) };
  const replaced = escapers.map((escaper) => (EQUIVALENT[escaper] === own ? own : escaper));
  const isReplaced = replaced.some((escaper, index) => escaper !== escapers[index]);
  const isCall = commands.length === 1 && last.args.length > 1;
  if (!isCall && (commands.length === 1 || !isReplaced)) return { ...node, escapers: compact(escapers) };
  const before = isCall ? [operandsOf(last)] : commands.slice(0, -1);
  return {
    ...node,
    pipe: { ...node.pipe, commands: before },
    escapers: compact(isReplaced ? replaced : [own, ...escapers]),
  };
}

function ownEscaper({ args }: CommandNode): "html" | "urlquery" | undefined {
  const [first] = args;
  if (first?.type !== "identifier") return undefined;
  return first.name === "html" || first.name === "urlquery" ? first.name : undefined;
}

/** The call of an escaper as a call that only joins its operands. */
function operandsOf(command: CommandNode): CommandNode {
  return {
    ...command,
    args: [{ type: "identifier", pos: command.pos, name: "_eval_args_" }, ...command.args.slice(1)],
  };
}

function compact(escapers: Escaper[]): Escaper[] {
  return escapers.filter((escaper, index) => {
    const previous = escapers[index - 1];
    if (previous === undefined) return true;
    if (escapers.indexOf(escaper) < index) return false;
    const isMarkup = escaper === "attrescaper" || escaper === "htmlescaper";
    return !(isMarkup && SUFFICIENT.has(previous)) && !(previous === "urlescaper" && escaper === "urlnormalizer");
  });
}
