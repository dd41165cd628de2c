import { createRequire } from "node:module";
import type { HtmlToTextOptions } from "html-to-text";
import type sanitizeHtml from "sanitize-html";
import { knowingMarkup } from "./known-markup.ts";
import { filterStyleSheets, type StyleSheet } from "./style-sheet.ts";

/** A mail's body in both forms; `html` is a fragment, not yet a document. Lines end in `\n`. */
export interface Alternatives {
  text: string;
  html: string;
  /** The body's own style sheet, for the document's head; absent where it has none. */
  css?: string;
}

/** Columns that the derived text is wrapped at. RFC 5322 §2.1.1 recommends 78. */
const TEXT_COLUMNS = 78;
/** Sanitizing takes time with the square of the tags: this many take a few tenths of a second, 1 MiB of them half a minute. */
const MAX_TAGS = 10_000;
/** Deeper elements are dropped; real mails stay under 30. */
const MAX_NESTING = 100;

/**
 * Characters that no mail body needs: controls other than tab and newline, some of which servers refuse and terminals
 * obey, and the bidi embeddings and overrides that make one text look like another. Marks and isolates stay, Arabic and
 * Hebrew need them.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e]/g;

/** A rendered body that is not made into a mail; the message says why. */
export class MailBodyError extends Error {
  override readonly name = "MailBodyError";
}

/**
 * Both forms of a rendered body. An `Html` body without any element keeps its line breaks, as the guide's does.
 * @throws MailBodyError when an `Html` body has more than 10,000 tags
 */
export function alternativesOf(body: string, bodyType: "Html" | "Text"): Alternatives {
  const source = body.toWellFormed().replace(/\r\n?/g, "\n").replace(CONTROLS, "");
  if (bodyType === "Text") return { text: source, html: keepLines(escapeText(source)) };
  if (!ELEMENT.test(source)) return alternativesOfLines(source);
  const tags = source.split("<").length - 1;
  if (tags > MAX_TAGS)
    throw new MailBodyError(
      `The rendered body has ${tags} HTML tags, at most ${MAX_TAGS} are taken: shorten the template`,
    );
  const html = sanitize(source);
  const { css } = styleSheetOf(source);
  return { text: libraries().htmlToText(html), html, ...(css !== "" && { css }) };
}

/** The style sheet in an `Html` body, and what a mail is not sent with of it. */
export function styleSheetOf(body: string): StyleSheet {
  const sheets: string[] = [];
  const lower = body.toLowerCase();
  for (let at = lower.indexOf("<style"); at !== -1; at = lower.indexOf("<style", at)) {
    const start = lower.indexOf(">", at) + 1;
    const end = lower.indexOf("</style", at);
    if (start === 0 || end === -1) break;
    sheets.push(body.slice(start, end));
    at = end;
  }
  return filterStyleSheets(sheets, (property, value) => STYLES.includes(property) && PLAIN_VALUE[0].test(value));
}

/** Html without elements: entities are the author's, stray angle brackets are text. */
function alternativesOfLines(source: string): Alternatives {
  const html = source.replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return { text: html.includes("&") ? libraries().linesToText(`<pre>${html}</pre>`) : source, html: keepLines(html) };
}

function keepLines(html: string): string {
  return html
    .replace(/^ +| {2,}/gm, (blanks) => `${"&nbsp;".repeat(blanks.length - 1)} `)
    .replace(/^ /gm, "&nbsp;")
    .replaceAll("\t", "&nbsp;&nbsp;&nbsp; ")
    .replaceAll("\n", "<br>\n");
}

/** `text` for where HTML text or a quoted attribute stands. */
export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

interface Libraries {
  sanitize: typeof sanitizeHtml;
  htmlToText(html: string): string;
  linesToText(html: string): string;
}

let loaded: Libraries | undefined;

/** With the first HTML mail: they are 0.1 s and 7 MiB, of which a process that stands by has nothing (docs/decisions/036). */
function libraries(): Libraries {
  loaded ??= loadLibraries();
  return loaded;
}

function loadLibraries(): Libraries {
  const require = createRequire(import.meta.url);
  const { compile } = require("html-to-text") as typeof import("html-to-text");
  return {
    sanitize: require("sanitize-html"),
    htmlToText: compile(MAIL_TEXT),
    linesToText: compile({ wordwrap: false }),
  };
}

const MAIL_TEXT: HtmlToTextOptions = {
  wordwrap: TEXT_COLUMNS,
  limits: { maxDepth: MAX_NESTING },
  selectors: [
    { selector: "a", options: { hideLinkHrefIfSameAsText: true, linkBrackets: ["<", ">"] } },
    { selector: "img", format: "skip" },
    { selector: "table", format: "dataTable", options: { uppercaseHeaderCells: false, maxColumnWidth: 60 } },
    ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({ selector, options: { uppercase: false } })),
  ],
};

/** A style value without brackets that could fetch or compute anything. */
const PLAIN_VALUE: [RegExp] = [/^(?!.*(?:url|expression|image|attr)\s*\()[\w\s#%.,()'"!/-]{1,200}$/i];
const STYLES = [
  ...["color", "background", "background-color", "width", "height", "max-width", "min-width", "display"],
  ...["font", "font-family", "font-size", "font-style", "font-weight", "line-height", "letter-spacing", "white-space"],
  ...["text-align", "text-decoration", "text-transform", "text-indent", "vertical-align", "list-style-type"],
  ...["", "-top", "-right", "-bottom", "-left"].flatMap((side) => [`padding${side}`, `margin${side}`, `border${side}`]),
  ...["word-break", "overflow-wrap"],
  ...["border-color", "border-style", "border-width", "border-radius", "border-collapse", "border-spacing"],
];

/** Elements that templates may use in mail. */
const TAGS = [
  ...["a", "abbr", "b", "bdi", "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del"],
  ...[
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
  ],
  ...["ol", "p", "pre", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td"],
  ...["tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "wbr", "section", "article", "header", "footer", "address"],
];
/** Elements that they may not; their tags go, and for those of `nonTextTags` what is between them. */
const REFUSED_TAGS = [
  ...["html", "head", "body", "main", "nav", "figure", "title", "meta", "link", "base", "style", "script", "noscript"],
  ...["template", "iframe", "frame", "object", "embed", "applet", "svg", "math", "canvas", "video", "audio", "form"],
  ...["input", "button", "textarea", "select", "option", "label"],
];

/** A tag of HTML, a comment or a doctype. Words such as kubectl's `<none>` are text, and are escaped. */
const ELEMENT = new RegExp(`<(?:/?(?:${[...TAGS, ...REFUSED_TAGS].join("|")})(?=[\\s/>])|!--|!doctype)`, "i");

/** What templates may use in mail: text, tables, links, pictures over https. No scripts, forms, frames or handlers. */
const MAIL_HTML: sanitizeHtml.IOptions = {
  allowedTags: TAGS,
  allowedAttributes: {
    "*": ["style", "class", "align", "valign", "bgcolor", "width", "height", "dir", "lang", "title", "role"],
    a: ["href", "name"],
    font: ["color", "face", "size"],
    img: ["src", "alt"],
    ol: ["start", "type"],
    table: ["border", "cellpadding", "cellspacing"],
    td: ["colspan", "rowspan", "headers"],
    th: ["colspan", "rowspan", "scope"],
  },
  allowedStyles: { "*": Object.fromEntries(STYLES.map((style) => [style, PLAIN_VALUE])) },
  allowedSchemes: ["http", "https", "mailto"],
  allowedSchemesByTag: { img: ["https", "cid"] },
  allowProtocolRelative: false,
  transformTags: {
    a: (tagName, attribs) => ({ tagName, attribs: withPlainAddress(attribs, "href") }),
    img: (tagName, attribs) => ({ tagName, attribs: withPlainAddress(attribs, "src") }),
  },
  nonTextTags: ["script", "style", "textarea", "option", "noscript", "title", "template"],
  nestingLimit: MAX_NESTING,
};

/** HTML without what a mail must not have. */
export function sanitizeMail(html: string): string {
  return libraries().sanitize(html, MAIL_HTML);
}

const sanitize = knowingMarkup(sanitizeMail);

/** An address whose host is not plain ASCII, or that has a user before it: `https://bank.example@evil.example`. */
const DISGUISED = /^ *https?:[\\/]*[^/?#]*(?:[^\x20-\x7e]|[@%\\])/i;

/** The same attributes, with the host in A-labels and without a user: what is shown of the link is where it leads. */
function withPlainAddress(attribs: sanitizeHtml.Attributes, name: "href" | "src"): sanitizeHtml.Attributes {
  const address = attribs[name]?.replace(/[\t\n]/g, ""); // as browsers read it
  if (address === undefined || !DISGUISED.test(address)) return attribs;
  const { [name]: _, ...rest } = attribs;
  if (!URL.canParse(address)) return rest;
  const url = new URL(address);
  url.username = "";
  url.password = "";
  return { ...rest, [name]: url.href };
}
