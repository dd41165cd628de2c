import type { CommandNode, Node, Operand, PipeNode } from "./ast.ts";

/**
 * The node Go blames once `node` has been evaluated: the last one it looked at, so the last argument of the last call inside.
 * `stops` tells at which argument an `and` or `or` stopped.
 */
export function blameOf(node: Node, stops: ReadonlyMap<CommandNode, number>): Node {
  switch (node.type) {
    case "pipe":
      return pipeBlame(node, stops);
    case "command":
      return commandBlame(node, stops);
    case "chain":
      return blameOf(node.node, stops);
    default:
      return node;
  }
}

function pipeBlame(pipe: PipeNode, stops: ReadonlyMap<CommandNode, number>): Node {
  const last = pipe.commands.at(-1);
  return last === undefined ? pipe : blameOf(last, stops);
}

function commandBlame(command: CommandNode, stops: ReadonlyMap<CommandNode, number>): Node {
  const stop = stops.get(command);
  const last: Operand | undefined = stop === undefined ? command.args.at(-1) : command.args[stop];
  return last === undefined ? command : blameOf(last, stops);
}
