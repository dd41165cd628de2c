/** Where in an HTML document a place of a template stands. The names are those of Go's html/template, whose errors print them. */
export type State =
  | "Text"
  | "Tag"
  | "AttrName"
  | "AfterName"
  | "BeforeValue"
  | "HTMLCmt"
  | "RCDATA"
  | "Attr"
  | "URL"
  | "MetaContent"
  | "MetaContentURL"
  | "Srcset"
  | "JS"
  | "JSDqStr"
  | "JSSqStr"
  | "JSTmplLit"
  | "JSRegexp"
  | "JSBlockCmt"
  | "JSLineCmt"
  | "JSHTMLOpenCmt"
  | "JSHTMLCloseCmt"
  | "CSS"
  | "CSSDqStr"
  | "CSSSqStr"
  | "CSSDqURL"
  | "CSSSqURL"
  | "CSSURL"
  | "CSSBlockCmt"
  | "CSSLineCmt"
  | "Dead";

export type Delimiter = "None" | "DoubleQuote" | "SingleQuote" | "SpaceOrTagEnd";
export type UrlPart = "None" | "PreQuery" | "QueryOrFrag" | "Unknown";
export type JsContext = "Regexp" | "DivOp" | "Unknown";
export type Attribute = "None" | "Script" | "ScriptType" | "Style" | "URL" | "Srcset" | "MetaContent";
export type Element = "None" | "Script" | "Style" | "Textarea" | "Title" | "Meta";

export interface Context {
  readonly state: State;
  readonly delim: Delimiter;
  readonly urlPart: UrlPart;
  /** What a slash in a script would begin. */
  readonly jsCtx: JsContext;
  /** Braces open within each `${` of a script's template literals. */
  readonly braces: readonly number[];
  readonly attr: Attribute;
  readonly element: Element;
  /** Within a script of a type no browser runs: text to Go, but still a script. Not part of a context's identity. */
  readonly foreignScript: boolean;
}

export const TEXT: Context = {
  state: "Text",
  delim: "None",
  urlPart: "None",
  jsCtx: "Regexp",
  braces: [],
  attr: "None",
  element: "None",
  foreignScript: false,
};

/** A fresh context in which only a foreign script is remembered. */
export const fresh = (from: Context, changes: Partial<Context>): Context => ({
  ...TEXT,
  foreignScript: from.foreignScript,
  ...changes,
});

/** As Go prints a context. */
export function describeContext(c: Context): string {
  return `{state${c.state} delim${c.delim} urlPart${c.urlPart} jsCtx${c.jsCtx} [${c.braces.join(" ")}] attr${c.attr} element${c.element} <nil>}`;
}

export const sameContext = (a: Context, b: Context): boolean => describeContext(a) === describeContext(b);

/** The name of a template as it is used in a context: its own in text. */
export function nameInContext(name: string, c: Context): string {
  if (c.state === "Text") return name;
  const parts = [`$htmltemplate_state${c.state}`];
  if (c.delim !== "None") parts.push(`delim${c.delim}`);
  if (c.urlPart !== "None") parts.push(`urlPart${c.urlPart}`);
  if (c.jsCtx !== "Regexp") parts.push(`jsCtx${c.jsCtx}`);
  if (c.braces.length > 0) parts.push(`jsBraceDepth[${c.braces.join(" ")}]`);
  if (c.attr !== "None") parts.push(`attr${c.attr}`);
  if (c.element !== "None") parts.push(`element${c.element}`);
  return name + parts.join("_");
}

const COMMENTS: ReadonlySet<State> = new Set<State>([
  "HTMLCmt",
  "JSBlockCmt",
  "JSLineCmt",
  "JSHTMLOpenCmt",
  "JSHTMLCloseCmt",
  "CSSBlockCmt",
  "CSSLineCmt",
]);
export const isComment = ({ state }: Context): boolean => COMMENTS.has(state);

const SCRIPT_LITERALS: ReadonlySet<State> = new Set<State>(["JSDqStr", "JSSqStr", "JSTmplLit", "JSRegexp"]);
export const isInScriptLiteral = ({ state }: Context): boolean => SCRIPT_LITERALS.has(state);

/** Where an attribute's value begins. */
export const VALUE_STATES: Record<Attribute, State> = {
  None: "Attr",
  Script: "JS",
  ScriptType: "Attr",
  Style: "CSS",
  URL: "URL",
  Srcset: "Srcset",
  MetaContent: "MetaContent",
};

/** The context of an action that stands where only more markup could: it begins an attribute's name or a bare value. */
export function nudge(c: Context): Context {
  if (c.state === "Tag") return { ...c, state: "AttrName" };
  if (c.state === "AfterName") return { ...c, state: "AttrName", attr: "None" };
  if (c.state === "BeforeValue") return { ...c, state: VALUE_STATES[c.attr], delim: "SpaceOrTagEnd", attr: "None" };
  return c;
}

/** What is wrong with a piece of text. */
export class HtmlError extends Error {
  override readonly name = "HtmlError";
}

/** The context after two branches, or undefined when they end too differently. */
export function joinContexts(a: Context, b: Context): Context | undefined {
  if (a.state === "Dead") return b;
  if (b.state === "Dead" || sameContext(a, b)) return { ...a, foreignScript: a.foreignScript || b.foreignScript };
  if (sameContext({ ...a, urlPart: b.urlPart }, b)) return { ...a, urlPart: "Unknown" };
  if (sameContext({ ...a, jsCtx: b.jsCtx }, b)) return { ...a, jsCtx: "Unknown" };
  const [c, d] = [nudge(a), nudge(b)];
  return sameContext(c, a) && sameContext(d, b) ? undefined : joinContexts(c, d);
}
