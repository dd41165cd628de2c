import { quote } from "../format/quote.ts";
import { type Context, HtmlError, type JsContext, type State } from "./context.ts";
import type { Step } from "./transitions.ts";

/**
 * Steps through literal scripts. No value ever stands in one, but Go checks them and takes their comments out, and a quote or
 * a regular expression decides where a script ends.
 */
export function scriptText(c: Context, text: string): Step {
  const found = /\/\/|\/\*|#!|<!--|-->|["'`/{}]/.exec(text);
  if (found === null) return { context: { ...c, jsCtx: afterScript(text, c.jsCtx) }, read: text.length };
  const read = found.index + found[0].length;
  const jsCtx = afterScript(text.slice(0, found.index), c.jsCtx);
  const start = STARTS[found[0]];
  if (start !== undefined)
    return { context: { ...c, state: start, jsCtx: QUOTES.has(found[0]) ? "Regexp" : jsCtx }, read };
  if (found[0] === "/") return { context: slash({ ...c, jsCtx }, text.slice(found.index)), read };
  return { context: brace({ ...c, jsCtx: afterScript(found[0], jsCtx) }, found[0]), read };
}

const STARTS: Record<string, State> = {
  '"': "JSDqStr",
  "'": "JSSqStr",
  "`": "JSTmplLit",
  "//": "JSLineCmt",
  "/*": "JSBlockCmt",
  "#!": "JSLineCmt",
  "<!--": "JSHTMLOpenCmt",
  "-->": "JSHTMLCloseCmt",
};
const QUOTES = new Set(['"', "'", "`"]);

function slash(c: Context, rest: string): Context {
  if (c.jsCtx === "Regexp") return { ...c, state: "JSRegexp" };
  if (c.jsCtx === "DivOp") return { ...c, jsCtx: "Regexp" };
  throw new HtmlError(`'/' could start a division or regexp: ${quote([...rest].slice(0, 32).join(""))}`);
}

/** Braces matter only within `${…}`, whose last one leads back into the template literal. */
function brace(c: Context, char: string): Context {
  const [depth, ...outer] = [...c.braces].reverse();
  if (depth === undefined) return c;
  if (char === "}" && depth === 0) return { ...c, braces: outer.reverse(), state: "JSTmplLit" };
  return { ...c, braces: [...outer.reverse(), depth + (char === "{" ? 1 : -1)] };
}

export function scriptTemplate(c: Context, text: string): Step {
  const special = /\\|\$\{|`/g;
  for (let found = special.exec(text); found !== null; found = special.exec(text)) {
    if (found[0] === "`") return { context: { ...c, state: "JS" }, read: special.lastIndex };
    if (found[0] !== "\\") return { context: { ...c, state: "JS", braces: [...c.braces, 0] }, read: special.lastIndex };
    if (special.lastIndex === text.length) throw unfinishedEscape(text);
    special.lastIndex++;
  }
  return { context: c, read: text.length };
}

const unfinishedEscape = (text: string): HtmlError =>
  new HtmlError(`unfinished escape sequence in JS string: ${quote(text)}`);

const SPECIALS: Partial<Record<State, RegExp>> = { JSDqStr: /[\\"]/g, JSSqStr: /[\\']/g, JSRegexp: /[\\/[\]]/g };

export function scriptDelimited(c: Context, text: string): Step {
  const special = new RegExp(SPECIALS[c.state] ?? /$/g);
  let inCharset = false;
  for (let found = special.exec(text); found !== null; found = special.exec(text)) {
    if (found[0] === "\\") {
      if (special.lastIndex === text.length) throw unfinishedEscape(text);
      special.lastIndex++;
    } else if (found[0] === "[") inCharset = true;
    else if (found[0] === "]") inCharset = false;
    else if (found[0] === "/" && /^<\/script/i.test(text.slice(Math.max(0, found.index - 1)))) special.lastIndex++;
    else if (!inCharset) return { context: { ...c, state: "JS", jsCtx: "DivOp" }, read: special.lastIndex };
  }
  if (inCharset) throw new HtmlError(`unfinished JS regexp charset: ${quote(text)}`);
  return { context: c, read: text.length };
}

export function scriptComment(c: Context, text: string): Step {
  const found = c.state === "JSBlockCmt" ? /\*\//.exec(text) : /(?=[\n\r\u2028\u2029])/.exec(text);
  return found === null
    ? { context: c, read: text.length }
    : { context: { ...c, state: "JS" }, read: found.index + found[0].length };
}

const BEFORE_REGEXP =
  /(?:^|[^\w$])(?:break|case|continue|delete|do|else|finally|in|instanceof|return|throw|try|typeof|void)$/;

/** What a slash behind this piece of script would begin. */
function afterScript(script: string, before: JsContext): JsContext {
  const text = script.trimEnd();
  if (text === "") return before;
  const signs = /(\++|-+)$/.exec(text);
  if (signs !== null) return signs[0].length % 2 === 1 ? "Regexp" : "DivOp";
  if (text.endsWith(".")) return /\d\.$/.test(text) ? "DivOp" : "Regexp";
  if (/[,<>=*%&|^?!~([:;{}]$/.test(text)) return "Regexp";
  return BEFORE_REGEXP.test(text) ? "Regexp" : "DivOp";
}
