import { type Context, fresh, HtmlError, type State, TEXT } from "./context.ts";
import { DELIMITERS, endTag, nextStep, type Step } from "./transitions.ts";

/**
 * A piece of HTML without its tags, comments, scripts and styles, for where only text can stand; references stay as they are.
 * As in html/template, what only looks like markup is text (`I <3 you`), and a tag that cannot be read ends it.
 */
export function stripTags(html: string): string {
  let context = TEXT;
  let out = "";
  let hasMarkup = false;
  for (let at = 0; at < html.length; ) {
    const step = skip(context, html.slice(at));
    hasMarkup ||= !isShown(context);
    if (step === undefined) break;
    if (isShown(context)) out += shown(html.slice(at, at + step.read), step.context.state !== context.state);
    context = step.context;
    at += step.read;
  }
  return hasMarkup ? out : html;
}

const isShown = ({ state }: Context): boolean => state === "Text" || state === "RCDATA";

/** A piece of text up to the markup it ends with. */
function shown(piece: string, leadsOn: boolean): string {
  const markup = leadsOn ? piece.lastIndexOf("<") : -1;
  return markup < 0 ? piece : piece.slice(0, markup);
}

const IN_TAG: ReadonlySet<State> = new Set<State>(["Tag", "AttrName", "AfterName", "BeforeValue"]);

/** The next step where no script, style or attribute is looked into; undefined where there is no way on. */
function skip(c: Context, text: string): Step | undefined {
  if (c.delim !== "None") return skipValue(c, text);
  const tag = IN_TAG.has(c.state) ? undefined : endTag(c);
  if (tag !== undefined) {
    tag.lastIndex = 0;
    const found = tag.exec(text);
    return found === null ? { context: c, read: text.length } : { context: TEXT, read: found.index };
  }
  try {
    return nextStep(c, text, undefined);
  } catch (error) {
    if (error instanceof HtmlError) return undefined;
    throw error;
  }
}

function skipValue(c: Context, text: string): Step | undefined {
  const found = text.search(DELIMITERS[c.delim] as RegExp);
  if (found < 0) return undefined;
  const context = fresh(TEXT, { state: "Tag", element: c.element });
  return { context, read: found + (c.delim === "SpaceOrTagEnd" ? 0 : 1) };
}
