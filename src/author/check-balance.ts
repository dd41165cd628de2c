import { fateOf } from "./html-fate.ts";
import type { Piece, Report } from "./html-source.ts";

/** Elements without an end tag, and those whose end tag HTML lets authors leave out. */
const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"]);
const END_OPTIONAL = new Set("body caption colgroup dd dt head html li option p tbody td tfoot th thead tr".split(" "));

/** A tag of an element that is open. */
type Tag = Extract<Piece, { type: "open" }>;

interface Block {
  isDefine: boolean;
  /** What was open where the block began, and where each of its branches ended. */
  before: Tag[];
  ends: Tag[][];
}

/** Tells of tags that do not match, on every way through the template's blocks. */
export function checkBalance(pieces: readonly Piece[], report: Report): void {
  const balance = new Balance(report);
  if (pieces.every((piece) => balance.take(piece))) balance.reportUnclosed(balance.open);
}

class Balance {
  /** Elements open at this place, outermost first. */
  open: Tag[] = [];
  readonly #blocks: Block[] = [];
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  /** False when the branches of a block differ, from where on nothing can be said. */
  take(piece: Piece): boolean {
    switch (piece.type) {
      case "open":
        if (!VOID.has(piece.name)) this.open.push(piece);
        return true;
      case "close":
        this.#close(piece.name, piece.offset);
        return true;
      case "torn":
        if (fateOf(piece.name) !== "unknown") this.#report(piece.offset, "error", `<${piece.name} has no ">": add it`);
        return true;
      case "block":
      case "define":
        this.#blocks.push({ isDefine: piece.type === "define", before: [...this.open], ends: [] });
        if (piece.type === "define") this.open = [];
        return true;
      case "else":
        return this.#otherwise();
      case "end":
        return this.#end();
    }
  }

  #close(name: string, offset: number): void {
    const at = this.open.findLastIndex((element) => element.name === name);
    if (at !== -1) {
      this.reportUnclosed(this.open.slice(at + 1));
      this.open.length = at;
    } else if (!VOID.has(name) && fateOf(name) !== "unknown") {
      this.#report(offset, "error", `</${name}> closes nothing: remove it, or add <${name}> before`);
    }
  }

  #otherwise(): boolean {
    const block = this.#blocks.at(-1);
    if (block === undefined) return false; // an inverse form of Handlebars, which is not followed
    block.ends.push(this.open);
    this.open = [...block.before];
    return true;
  }

  #end(): boolean {
    const block = this.#blocks.pop();
    if (block === undefined) return false;
    if (block.isDefine) {
      this.reportUnclosed(this.open);
      this.open = block.before;
      return true;
    }
    const otherwise = block.ends.length === 0 ? [block.before] : block.ends;
    const odd = oddOneOut([...otherwise, this.open]);
    if (odd === undefined) return true;
    const told = `<${odd.name}> is opened in one branch only: open and close it in the same branch`;
    this.#report(odd.offset, "warning", told);
    return false;
  }

  reportUnclosed(elements: readonly Tag[]): void {
    for (const { name, offset } of elements) {
      if (!END_OPTIONAL.has(name) && fateOf(name) !== "unknown")
        this.#report(offset, "error", `<${name}> is not closed: add </${name}>`);
    }
  }
}

/** An element that one end of a block has open and another has not. */
function oddOneOut(ends: Tag[][]): Tag | undefined {
  const counted = ends.map((end) => end.filter(({ name }) => !END_OPTIONAL.has(name)));
  const longest = counted.reduce((a, b) => (b.length > a.length ? b : a), []);
  const shortest = counted.reduce((a, b) => (b.length < a.length ? b : a), longest);
  return longest[shortest.length];
}
