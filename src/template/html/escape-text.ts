import { type Context, HtmlError, isComment, isInScriptLiteral } from "./context.ts";
import { endTag, nextStep } from "./transitions.ts";

/** Literal text as it is written, and the context behind it. */
export interface EscapedText {
  context: Context;
  text: string;
}

/** What is wrong with a text, and where in it. */
export class TextError extends Error {
  override readonly name = "TextError";
  readonly offset: number;
  /** The context in which it could not go on. */
  readonly context: Context;

  constructor(cause: HtmlError, offset: number, context: Context) {
    super(cause.message, { cause });
    this.offset = offset;
    this.context = context;
  }
}

/** Follows literal text: comments vanish, a `<` that opens no tag becomes `&lt;`. @throws TextError */
export function escapeText(start: Context, text: string): EscapedText {
  let context = start;
  const ends = new EndTags(text);
  let out = "";
  for (let at = 0; at < text.length; ) {
    const step = stepAt(context, text, at, ends.after(context, at));
    const piece = text.slice(at, at + step.read);
    const next = step.context;
    if (step.read === 0 && next.state === context.state) throw new Error(`no way on from ${context.state} at ${at}`);
    out += keptText(context, next, piece);
    context = next;
    at += step.read;
  }
  return { context, text: out };
}

/** Looks for each end tag once, not from every step anew. */
class EndTags {
  readonly text: string;
  tag: RegExp | undefined;
  found = -1;

  constructor(text: string) {
    this.text = text;
  }

  /** How far from `at` the element around ends; undefined when it does not. */
  after(context: Context, at: number): number | undefined {
    const tag = endTag(context);
    if (tag === undefined) return undefined;
    if (tag !== this.tag || this.found < at) {
      tag.lastIndex = at;
      this.tag = tag;
      this.found = tag.exec(this.text)?.index ?? Number.POSITIVE_INFINITY;
    }
    return Number.isFinite(this.found) ? this.found - at : undefined;
  }
}

function stepAt(context: Context, text: string, at: number, end: number | undefined): ReturnType<typeof nextStep> {
  try {
    return nextStep(context, text.slice(at), end);
  } catch (error) {
    if (error instanceof HtmlError) throw new TextError(error, at, context);
    throw error;
  }
}

/** Characters that open a comment, by the state they lead to. */
const OPENERS: Record<string, number> = { HTMLCmt: 4, JSHTMLOpenCmt: 4, JSHTMLCloseCmt: 3 };

function keptText(from: Context, to: Context, piece: string): string {
  const bare = (c: Context): boolean => isComment(c) && c.delim === "None";
  let kept = piece;
  if (bare(from)) kept = commentRemains(from, to, piece);
  else if (from.state === "Text" || from.state === "RCDATA") kept = escapeStray(piece, to.state !== from.state);
  else if (isInScriptLiteral(from)) kept = piece.replace(/<(?=script|\/script|!--)/gi, "\\x3C");
  if (to.state !== from.state && bare(to) && !bare(from)) kept = kept.slice(0, kept.length - (OPENERS[to.state] ?? 2));
  return kept;
}

/** A block comment leaves a blank, or a line break if it had one, once it has ended. */
function commentRemains(from: Context, to: Context, piece: string): string {
  if (to.state === from.state) return "";
  if (from.state === "JSBlockCmt") return /[\n\r\u2028\u2029]/.test(piece) ? "\n" : " ";
  return from.state === "CSSBlockCmt" ? " " : "";
}

/** `<` becomes `&lt;` but where it begins markup: the last one of a piece that leads on, and a doctype. */
function escapeStray(piece: string, leadsOn: boolean): string {
  const markup = leadsOn ? piece.lastIndexOf("<") : -1;
  const escaped = (text: string): string => text.replace(/<(?!!doctype)/gi, "&lt;");
  return markup < 0 ? escaped(piece) : escaped(piece.slice(0, markup)) + piece.slice(markup);
}
