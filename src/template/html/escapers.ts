import { toBytes } from "../byte-string.ts";
import { formatValue } from "../format/printer.ts";
import { escapeHtml, escapeUrlQuery } from "../functions/printing.ts";
import { SafeHtml, type Value } from "../values.ts";
import { decodeCss } from "./css-transitions.ts";
import { stripTags } from "./strip-tags.ts";

/** The escapers and filters the analysis puts behind pipelines. `html` and `urlquery` are the template's own, found at a pipeline's end. */
export type Escaper =
  | "html"
  | "urlquery"
  | "htmlescaper"
  | "rcdataescaper"
  | "attrescaper"
  | "nospaceescaper"
  | "commentescaper"
  | "urlfilter"
  | "urlnormalizer"
  | "urlescaper"
  | "srcsetescaper"
  | "cssescaper"
  | "cssvaluefilter";

/** What stands in place of a value that cannot be shown safely. */
const UNSAFE = "ZgotmplZ";

const ESCAPERS: Record<Escaper, (text: string) => string> = {
  html: escapeHtml,
  urlquery: escapeUrlQuery,
  htmlescaper: escapeMarkup,
  rcdataescaper: escapeMarkup,
  attrescaper: escapeMarkup,
  nospaceescaper: escapeBareValue,
  commentescaper: () => "",
  urlfilter: (text) => (isSafeUrl(text) ? text : `#${UNSAFE}`),
  urlnormalizer: (text) => encodeUrl(text, true),
  urlescaper: (text) => encodeUrl(text, false),
  srcsetescaper: (text) => text.split(",").map(srcsetCandidate).join(","),
  cssescaper: escapeCss,
  cssvaluefilter: filterCss,
};

/** What is done otherwise to text that is marked as HTML: it stays as it is in text, and without its tags in attributes. */
const HTML_ESCAPERS: Partial<typeof ESCAPERS> = {
  htmlescaper: (html) => html,
  rcdataescaper: escapeAllButReferences,
  attrescaper: (html) => escapeAllButReferences(stripTags(html)),
  nospaceescaper: (html) => (html === "" ? UNSAFE : stripTags(html).replace(/[^&]+/g, escapeBareValue)),
};

/** Applies one escaper. A missing value is nothing to all but the template's own `html` and `urlquery`. */
export function escapeWith(name: string, value: Value): string {
  const escaper = name as Escaper;
  if (typeof value === "string") return ESCAPERS[escaper](value);
  if (value instanceof SafeHtml) return (HTML_ESCAPERS[escaper] ?? ESCAPERS[escaper])(value.text);
  if (value !== undefined && value !== null) return ESCAPERS[escaper](formatValue(value));
  return ESCAPERS[escaper](escaper === "html" || escaper === "urlquery" ? "<no value>" : "");
}

const MARKUP: Record<string, string> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "&": "&amp;",
  "'": "&#39;",
  "+": "&#43;",
  "<": "&lt;",
  ">": "&gt;",
};
const MARKUP_PATTERN = /["&'+<>\0]/;

/** Escapes for HTML text and quoted attributes: every character that could lead out of them, and `+`. */
export function escapeMarkup(text: string): string {
  if (!MARKUP_PATTERN.test(text)) return text;
  return text.replace(/["&'+<>\0]/g, (char) => MARKUP[char] ?? char);
}

/** Escapes what could lead out of text and quoted attributes, but no `&`: HTML has its own references already. */
function escapeAllButReferences(html: string): string {
  return html.replace(/[^&]+/g, escapeMarkup);
}

function escapeBareValue(text: string): string {
  if (text === "") return UNSAFE;
  return text.replace(/[\0\t\n\v\f\r "&'+<=>`\ufdd0-\ufdef\ufff0-\uffff]/g, (char) => {
    if (char === "&") return "&amp;";
    if (char === "<") return "&lt;";
    if (char === ">") return "&gt;";
    if (char === "\0") return "&#xfffd;";
    const code = char.charCodeAt(0);
    return code > 0xff ? `&#x${code.toString(16)};` : `&#${code};`;
  });
}

/** Links lead to http, https and mailto alone; without a scheme they stay on their site. */
function isSafeUrl(text: string): boolean {
  const colon = text.indexOf(":");
  const scheme = text.slice(0, Math.max(colon, 0));
  return colon < 0 || scheme.includes("/") || /^(?:https?|mailto)$/i.test(scheme);
}

/** Percent-encodes what cannot stand in an address; `normalize` keeps what means something there. */
function encodeUrl(text: string, normalize: boolean): string {
  if (/^[\w.~-]*$/.test(text)) return text;
  const bytes = toBytes(text);
  let out = "";
  for (const [at, byte] of bytes.entries()) {
    const char = String.fromCharCode(byte);
    const isEscape = normalize && char === "%" && /^[\da-fA-F]{2}$/.test(bytes.toString("latin1", at + 1, at + 3));
    if (/[\w.~-]/.test(char) || (normalize && "!#$&*+,/:;=?@[]".includes(char)) || isEscape) out += char;
    else out += `%${byte.toString(16).padStart(2, "0")}`;
  }
  return out;
}

function srcsetCandidate(candidate: string): string {
  const [, before = "", url = "", rest = ""] = /^([\t\n\f\r ]*)([^\t\n\f\r ]*)([\s\S]*)$/.exec(candidate) ?? [];
  return isSafeUrl(url) && /^[\t\n\f\r a-zA-Z0-9]*$/.test(rest) ? before + encodeUrl(url, true) + rest : `#${UNSAFE}`;
}

/** A blank ends an escape where the next character would lengthen it. */
function escapeCss(text: string): string {
  return text.replace(/[\0\t\n\f\r"&'()+/:;<>\\{}]/g, (char, at: number) => {
    if (char === "\\") return "\\\\";
    const next = text[at + 1];
    return `\\${char.charCodeAt(0).toString(16)}${next === undefined || /[\da-fA-F\t\n\f\r ]/.test(next) ? " " : ""}`;
  });
}

function filterCss(text: string): string {
  const decoded = decodeCss(text);
  if (/[\0"'()/;@[\\\]`{}<>]|--/.test(decoded)) return UNSAFE;
  const letters = decoded.replace(/[^a-zA-Z0-9_]/g, "").toLowerCase();
  return letters.includes("expression") || letters.includes("mozbinding") ? UNSAFE : decoded;
}
