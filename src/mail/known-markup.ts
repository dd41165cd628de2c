/**
 * Sanitizing a mail is most of what composing it costs, and the mails of a template differ in their text alone: the markup
 * between is sanitized once (docs/decisions/013).
 */

/** Stands for a text where markup alone is looked at; private use, so that no text has it but on purpose. */
const TEXT = "\ue000";
/** As a template's author writes them; whoever reads HTML is outside of any tag after one of these. */
const PLAIN_TAG = /^<(?:\/?[a-z][a-z0-9]*(?:\s+[a-z][a-z-]*(?:="[^"\ue000]*")?)*\s*\/?|!doctype html)>$/i;
/** What would not be the same text after sanitizing. */
const MARKED = /[&>\ue000]/;
const MAX_MARKUP_CHARS = 16_384;
/** Templates in use at one time; a tenant who makes new markup with each mail forgets the others' sooner, no more. */
const MAX_KNOWN = 64;

/** A body cut into the texts and, with {@link TEXT} for each of these, the markup around them. */
interface Cut {
  markup: string;
  texts: string[];
}

/** The sanitized markup between the texts; `seen` once, or nothing to go by: texts of it are lost or changed. */
type Known = string[] | "seen" | "irregular";

/**
 * The same function for HTML, faster for what has the same markup as something before. Holds where `sanitize` looks at tags
 * alone and lets through a text that has nothing to escape: whoever reads HTML leaves a text at `<` and `&` only.
 */
export function knowingMarkup(sanitize: (html: string) => string): (html: string) => string {
  const known = new Map<string, Known>();

  /** Markup seen for the second time is worth its price: what is in each mail another's is never learned. */
  function learn({ markup, texts }: Cut, html: string): string {
    const sanitized = sanitize(html);
    const before = known.get(markup);
    if (before === undefined) remember(markup, "seen");
    if (before !== "seen") return sanitized;
    const parts = hasPlainTags(markup) ? sanitize(markup).split(TEXT) : [];
    const isRegular = parts.length === texts.length + 1 && fill(parts, texts) === sanitized;
    remember(markup, isRegular ? parts : "irregular");
    return sanitized;
  }

  /** The one used last is forgotten last. */
  function remember(markup: string, what: Known): void {
    known.delete(markup);
    known.set(markup, what);
    if (known.size <= MAX_KNOWN) return;
    const [oldest = ""] = known.keys();
    known.delete(oldest);
  }

  return (html) => {
    const cut = cutOut(html);
    if (cut === undefined) return sanitize(html);
    const parts = known.get(cut.markup);
    if (!Array.isArray(parts)) return learn(cut, html);
    remember(cut.markup, parts);
    return fill(parts, cut.texts);
  };
}

/** Undefined where a text would be changed, or `<` is no tag's. */
function cutOut(html: string): Cut | undefined {
  const texts: string[] = [];
  let markup = "";
  for (let at = 0; ; ) {
    const open = html.indexOf("<", at);
    const text = open === -1 ? html.slice(at) : html.slice(at, open);
    if (MARKED.test(text)) return undefined;
    if (text !== "") {
      texts.push(text);
      markup += TEXT;
    }
    if (open === -1) return { markup, texts };
    const close = html.indexOf(">", open);
    if (close === -1) return undefined;
    markup += html.slice(open, close + 1);
    if (markup.length > MAX_MARKUP_CHARS) return undefined;
    at = close + 1;
  }
}

function hasPlainTags(markup: string): boolean {
  return (markup.match(/<[^>]*>/g) ?? []).every((tag) => PLAIN_TAG.test(tag));
}

function fill(parts: string[], texts: string[]): string {
  let html = parts[0] ?? "";
  for (const [index, text] of texts.entries()) html += text + (parts[index + 1] ?? "");
  return html;
}
