import { quote } from "../format/quote.ts";
import { attributeKind, isScriptType } from "./attributes.ts";
import {
  type Context,
  type Element,
  fresh,
  HtmlError,
  isComment,
  isInScriptLiteral,
  type State,
  VALUE_STATES,
} from "./context.ts";
import { cssComment, cssString, cssText, urlText } from "./css-transitions.ts";
import { unescapeHtml } from "./entities.ts";
import { scriptComment, scriptDelimited, scriptTemplate, scriptText } from "./script-transitions.ts";

/** A context, and how much of the text leads there. */
export interface Step {
  context: Context;
  read: number;
}

const stay = (context: Context, text: string): Step => ({ context, read: text.length });

/** The next step through literal text; `end` is where the end tag of the element around begins, if it does. @throws HtmlError */
export function nextStep(c: Context, text: string, end: number | undefined): Step {
  if (c.delim !== "None") return attributeStep(c, text);
  if (end === 0) return { context: fresh(c, {}), read: 0 };
  return transition(c, end === undefined ? text : text.slice(0, end));
}

/** The body of script, style, textarea and title ends at their end tag alone, wherever it stands: the tag to look for. */
export function endTag(c: Context): RegExp | undefined {
  if (c.delim !== "None" || c.element === "None" || c.element === "Meta") return undefined;
  if (c.element === "Script" && (isInScriptLiteral(c) || isComment(c))) return undefined;
  return END_TAGS[c.element];
}

const END_TAGS: Record<"Script" | "Style" | "Textarea" | "Title", RegExp> = {
  Script: /<\/script[> \t\n\f/]/gi,
  Style: /<\/style[> \t\n\f/]/gi,
  Textarea: /<\/textarea[> \t\n\f/]/gi,
  Title: /<\/title[> \t\n\f/]/gi,
};

/** What ends an attribute's value, by the quotes around it. */
export const DELIMITERS: Record<string, RegExp> = { DoubleQuote: /"/, SingleQuote: /'/, SpaceOrTagEnd: /[ \t\n\f\r>]/ };

/** Within an attribute's value: entities count as what they stand for. */
function attributeStep(c: Context, text: string): Step {
  const found = text.search(DELIMITERS[c.delim] as RegExp);
  const value = found < 0 ? text : text.slice(0, found);
  const bad = c.delim === "SpaceOrTagEnd" ? /["'<=`]/.exec(value) : null;
  if (bad !== null) throw new HtmlError(`${quote(bad[0])} in unquoted attr: ${quote(value)}`);
  if (found < 0) {
    let context = c;
    for (let rest = unescapeHtml(value); rest !== ""; ) {
      const step = transition(context, rest);
      context = step.context;
      rest = rest.slice(step.read);
    }
    return stay(context, text);
  }
  const foreign = c.state === "Attr" && c.element === "Script" && c.attr === "ScriptType" && !isScriptType(value);
  const element: Element = foreign ? "None" : c.element;
  return {
    context: fresh(c, { state: "Tag", element, foreignScript: c.foreignScript || foreign }),
    read: found + (c.delim === "SpaceOrTagEnd" ? 0 : 1),
  };
}

function transition(c: Context, text: string): Step {
  switch (c.state) {
    case "Text":
      return plainText(c, text);
    case "Tag":
      return tag(c, text);
    case "AttrName": {
      const end = attributeNameEnd(text, 0);
      return { context: end === text.length ? c : { ...c, state: "AfterName" }, read: end };
    }
    case "AfterName":
      return afterName(c, text);
    case "BeforeValue":
      return beforeValue(c, text);
    case "HTMLCmt": {
      const end = text.indexOf("-->");
      return end < 0 ? stay(c, text) : { context: fresh(c, {}), read: end + 3 };
    }
    case "URL":
    case "Srcset":
      return stay(urlText(c, text), text);
    case "MetaContent":
      return metaContent(c, text);
    case "MetaContentURL": {
      const end = text.indexOf(";");
      return end < 0 ? stay(c, text) : { context: { ...c, state: "MetaContent" }, read: end + 1 };
    }
    case "JS":
      return scriptText(c, text);
    case "JSDqStr":
    case "JSSqStr":
    case "JSRegexp":
      return scriptDelimited(c, text);
    case "JSTmplLit":
      return scriptTemplate(c, text);
    case "JSBlockCmt":
    case "JSLineCmt":
    case "JSHTMLOpenCmt":
    case "JSHTMLCloseCmt":
      return scriptComment(c, text);
    case "CSS":
      return cssText(c, text);
    case "CSSBlockCmt":
    case "CSSLineCmt":
      return cssComment(c, text);
    case "CSSDqStr":
    case "CSSSqStr":
    case "CSSDqURL":
    case "CSSSqURL":
    case "CSSURL":
      return cssString(c, text);
    case "RCDATA":
    case "Attr":
    case "Dead":
      return stay(c, text);
  }
}

const ELEMENTS: Record<string, Element> = {
  script: "Script",
  style: "Style",
  textarea: "Textarea",
  title: "Title",
  meta: "Meta",
};
const MARKUP = /<!--|<(\/?)([a-zA-Z](?:[a-zA-Z0-9]|[:-](?=[a-zA-Z0-9]))*)/;

function plainText(c: Context, text: string): Step {
  const found = MARKUP.exec(text);
  if (found === null) return stay(c, text);
  const read = found.index + found[0].length;
  const name = found[2]?.toLowerCase();
  if (name === undefined) return { context: fresh(c, { state: "HTMLCmt" }), read };
  if (found[1] === "/")
    return { context: fresh(c, { state: "Tag", foreignScript: c.foreignScript && name !== "script" }), read };
  const element = Object.hasOwn(ELEMENTS, name) ? (ELEMENTS[name] ?? "None") : "None";
  return { context: fresh(c, { state: "Tag", element }), read };
}

const BODIES: Record<Element, State> = {
  None: "Text",
  Script: "JS",
  Style: "CSS",
  Textarea: "RCDATA",
  Title: "RCDATA",
  Meta: "Text",
};

function tag(c: Context, text: string): Step {
  const start = blanks(text, 0);
  if (start === text.length) return stay(c, text);
  if (text[start] === ">") {
    const element = c.element === "Meta" ? "None" : c.element;
    return { context: fresh(c, { state: BODIES[element], element }), read: start + 1 };
  }
  const end = attributeNameEnd(text, start);
  if (end === start)
    throw new HtmlError(`expected space, attr name, or end of tag, but got ${quote(text.slice(start))}`);
  const attr = attributeKind(text.slice(start, end).toLowerCase(), c.element);
  return {
    context: fresh(c, { state: end === text.length ? "AttrName" : "AfterName", element: c.element, attr }),
    read: end,
  };
}

function attributeNameEnd(text: string, start: number): number {
  const found = text.slice(start).search(/[ \t\n\f\r=>'"<]/);
  if (found < 0) return text.length;
  const end = start + found;
  const char = text[end] ?? "";
  if (`'"<`.includes(char))
    throw new HtmlError(`${quote(char)} in attribute name: ${quote([...text].slice(0, 32).join(""))}`);
  return end;
}

function afterName(c: Context, text: string): Step {
  const start = blanks(text, 0);
  if (start === text.length) return stay(c, text);
  if (text[start] !== "=") return { context: { ...c, state: "Tag" }, read: start };
  return { context: { ...c, state: "BeforeValue" }, read: start + 1 };
}

function beforeValue(c: Context, text: string): Step {
  const start = blanks(text, 0);
  if (start === text.length) return stay(c, text);
  const mark = text[start];
  const delim = mark === '"' ? "DoubleQuote" : mark === "'" ? "SingleQuote" : "SpaceOrTagEnd";
  return { context: { ...c, state: VALUE_STATES[c.attr], delim }, read: delim === "SpaceOrTagEnd" ? start : start + 1 };
}

function metaContent(c: Context, text: string): Step {
  const found = /url[ \t\n\f\r]*=/i.exec(text);
  if (found === null) return stay(c, text);
  return { context: { ...c, state: "MetaContentURL" }, read: found.index + found[0].length };
}

function blanks(text: string, start: number): number {
  let at = start;
  while (at < text.length && " \t\n\f\r".includes(text[at] ?? "")) at++;
  return at;
}
