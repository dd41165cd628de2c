import { quote } from "../format/quote.ts";
import { type Context, HtmlError, type State } from "./context.ts";
import type { Step } from "./transitions.ts";

/** Whether an address has come to its query by this text. */
export function urlText(c: Context, text: string): Context {
  if (/[#?]/.test(text)) return { ...c, urlPart: "QueryOrFrag" };
  return c.urlPart === "None" && /[^ \t\n\f\r]/.test(text) ? { ...c, urlPart: "PreQuery" } : c;
}

/** Style rules up to the next string, comment or `url(`. */
export function cssText(c: Context, text: string): Step {
  for (const found of text.matchAll(/\(|"|'|\/\/|\/\*/g)) {
    const read = found.index + found[0].length;
    if (found[0] === "(") {
      const step = cssUrl(c, text, found.index);
      if (step !== undefined) return step;
    } else return { context: { ...c, state: CSS_STARTS[found[0]] ?? c.state }, read };
  }
  return { context: c, read: text.length };
}

const CSS_STARTS: Record<string, State> = { '"': "CSSDqStr", "'": "CSSSqStr", "//": "CSSLineCmt", "/*": "CSSBlockCmt" };

function cssUrl(c: Context, text: string, open: number): Step | undefined {
  const before = text.slice(0, open).trimEnd().slice(-4);
  if (!/(?:^|[^\w\-\u0080-\uffff])url$/i.test(before)) return undefined;
  let read = open + 1 + (/^[\t\n\f\r ]*/.exec(text.slice(open + 1))?.[0].length ?? 0);
  let state: State = "CSSURL";
  if (text[read] === '"') state = "CSSDqURL";
  if (text[read] === "'") state = "CSSSqURL";
  if (state !== "CSSURL") read++;
  return { context: { ...c, state }, read };
}

export function cssComment(c: Context, text: string): Step {
  const found = c.state === "CSSBlockCmt" ? /\*\//.exec(text) : /(?=[\n\f\r])/.exec(text);
  return found === null
    ? { context: c, read: text.length }
    : { context: { ...c, state: "CSS" }, read: found.index + found[0].length };
}

const CSS_ENDS: Partial<Record<State, RegExp>> = {
  CSSDqStr: /[\\"]/g,
  CSSDqURL: /[\\"]/g,
  CSSSqStr: /[\\']/g,
  CSSSqURL: /[\\']/g,
  CSSURL: /[\\\t\n\f\r )]/g,
};

/** A string or an address in style rules: both may turn out to be addresses. */
export function cssString(c: Context, text: string): Step {
  const special = new RegExp(CSS_ENDS[c.state] ?? /$/g);
  let context = c;
  let start = 0;
  for (let found = special.exec(text); found !== null; found = special.exec(text)) {
    if (found[0] !== "\\") return { context: { ...context, state: "CSS" }, read: found.index + 1 };
    if (found.index + 1 === text.length)
      throw new HtmlError(`unfinished escape sequence in CSS string: ${quote(text)}`);
    start = special.lastIndex = found.index + 2;
    context = urlText(context, decodeCss(text.slice(0, start)));
  }
  return { context: urlText(context, decodeCss(text.slice(start))), read: text.length };
}

/** CSS text with its escapes resolved. */
export function decodeCss(text: string): string {
  return text.replace(
    /\\(?:([\da-fA-F]{1,6})(?:\r\n|[\t\n\f\r ])?|([\s\S]))|\\$/g,
    (_, hex?: string, char?: string) => {
      if (hex === undefined) return char ?? "";
      const code = Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : "\ufffd";
    },
  );
}
