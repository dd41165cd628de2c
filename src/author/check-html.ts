import { alternativesOf, styleSheetOf } from "../mail/html.ts";
import { type Finding, findingAt, type Severity } from "./finding.ts";
import { type Attribute, HOLE, type Piece, splitHtml } from "./html-source.ts";
import { inPart, type TemplateManifest } from "./template-part.ts";

/** Elements without an end tag, and those whose end tag HTML lets authors leave out. */
const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"]);
const END_OPTIONAL = new Set("body caption colgroup dd dt head html li option p tbody td tfoot th thead tr".split(" "));

type OpenPiece = Extract<Piece, { type: "open" }>;

/** What is wrong with the HTML of an `Html` content: tags that do not match, and what mails are not sent with. */
export function checkHtml(template: TemplateManifest): Finding[] {
  const { manifest, email, content } = template;
  const pieces = splitHtml(content.source);
  const tags = pieces.filter((piece) => "name" in piece);
  const isHtml = tags.some(({ name }) => fateOf(name) !== "unknown");
  const findings: Finding[] = [];
  const report: Report = (offset, severity, message) => {
    const fact = { severity, rule: "html" as const, message: `${message} ${inPart(template, content)}` };
    findings.push(findingAt(manifest.source, content.offsetOf(offset), fact));
  };
  if (email.bodyType === "Text") {
    const tag = tags.find(({ type, name }) => type === "open" && fateOf(name) !== "unknown");
    if (tag !== undefined)
      report(
        tag.offset,
        "warning",
        `<${tag.name}> is shown as text: set the label cpaas.io/template.email.body.type to Html if it is meant as HTML`,
      );
  } else if (isHtml) {
    checkBalance(pieces, report);
    checkElements(pieces, report);
    checkStyleSheet(content.source, pieces, report);
  }
  return findings;
}

type Report = (offset: number, severity: Severity, message: string) => void;

/** Elements open at a place, outermost first. */
type Open = OpenPiece[];

/** Follows the tags in source order; where branches of a block leave different elements open, it says so and ends. */
function checkBalance(pieces: Piece[], report: Report): void {
  let open: Open = [];
  const blocks: { before: Open; ends: Open[]; isDefine: boolean }[] = [];
  for (const piece of pieces) {
    if (piece.type === "open") {
      if (!VOID.has(piece.name)) open = [...open, piece];
    } else if (piece.type === "close") open = close(open, piece, report);
    else if (piece.type === "torn") {
      if (fateOf(piece.name) !== "unknown") report(piece.offset, "error", `<${piece.name} has no ">": add it`);
    } else if (piece.type === "block" || piece.type === "define") {
      const isDefine = piece.type === "define";
      blocks.push({ before: open, ends: [], isDefine });
      if (isDefine) open = [];
    } else {
      const block = blocks.at(-1);
      if (block === undefined) return; // Handlebars' inverse forms and the like: not followed
      block.ends.push(open);
      if (piece.type === "else") open = block.before;
      else {
        blocks.pop();
        if (block.isDefine) {
          reportUnclosed(open, report);
          open = block.before;
        } else {
          const odd = oddOneOut([...block.ends, ...(block.ends.length === 1 ? [block.before] : [])]);
          if (odd !== undefined) {
            const told = `<${odd.name}> is opened in one branch only: open and close it in the same branch`;
            report(odd.offset, "warning", told);
            return;
          }
        }
      }
    }
  }
  reportUnclosed(open, report);
}

function close(open: Open, { name, offset }: Piece & { name: string }, report: Report): Open {
  const at = open.findLastIndex((element) => element.name === name);
  if (at === -1) {
    if (VOID.has(name) || fateOf(name) === "unknown") return open;
    report(offset, "error", `</${name}> closes nothing: remove it, or add <${name}> before`);
    return open;
  }
  reportUnclosed(open.slice(at + 1), report);
  return open.slice(0, at);
}

function reportUnclosed(elements: Open, report: Report): void {
  for (const { name, offset } of elements) {
    if (!END_OPTIONAL.has(name) && fateOf(name) !== "unknown")
      report(offset, "error", `<${name}> is not closed: add </${name}>`);
  }
}

/** An element that one end of a block has open and another has not. */
function oddOneOut(ends: Open[]): OpenPiece | undefined {
  const counted = ends.map((end) => end.filter(({ name }) => !END_OPTIONAL.has(name)));
  const longest = counted.reduce((a, b) => (b.length > a.length ? b : a), []);
  const shortest = counted.reduce((a, b) => (b.length < a.length ? b : a), longest);
  return longest[shortest.length];
}

/** Rules and declarations of a `<style>` that the mail will not have. */
function checkStyleSheet(source: string, pieces: Piece[], report: Report): void {
  const element = pieces.find((piece) => piece.type === "open" && piece.name === "style");
  if (element === undefined) return;
  for (const dropped of styleSheetOf(source).dropped)
    report(element.offset, "warning", `${shorten(dropped)} in <style> is left out of the mail`);
}

/** Elements, attributes, styles and links that the mail will not have; each element and attribute is told once. */
function checkElements(pieces: Piece[], report: Report): void {
  const told = new Set<string>();
  const once: Report = (offset, severity, message) => {
    if (!told.has(message)) report(offset, severity, message);
    told.add(message);
  };
  for (const piece of pieces) {
    if (piece.type !== "open") continue;
    const { name, offset } = piece;
    const fate = fateOf(name);
    if (fate === "unknown")
      once(offset, "error", `<${name}> is no element and is left out of the mail: write &lt;${name}&gt; for the text`);
    if (fate === "removed") once(offset, "warning", `<${name}> is left out of the mail`);
    if (fate === "kept") for (const attribute of piece.attributes) checkAttribute(name, attribute, report, once);
  }
}

function checkAttribute(element: string, { name, value, offset }: Attribute, report: Report, once: Report): void {
  if (name === "href" || name === "src") {
    checkLink(element, name, value ?? "", offset, report);
    return;
  }
  const written = (value ?? "").replaceAll(HOLE, "1");
  const kept = attributesOf(element, name, written);
  if (kept === undefined) {
    if (name !== "style" || written.trim() !== "")
      once(offset, "warning", `the attribute ${name} of <${element}> is left out of the mail`);
    return;
  }
  if (name !== "style" || value?.includes(HOLE)) return;
  const lost = propertiesOf(written).filter((property) => !propertiesOf(kept).includes(property));
  for (const property of lost) once(offset, "warning", `the style ${property} of <${element}> is left out of the mail`);
}

/** Links whose target the mail is not sent with. What begins with an action is checked when it is rendered. */
function checkLink(element: string, name: string, value: string, offset: number, report: Report): void {
  if (value === "" || value.startsWith(HOLE)) return;
  const written = value.replaceAll(new RegExp(`${HOLE}+`, "g"), "x");
  const use = element === "img" ? "https" : "http, https or mailto";
  if (attributesOf(element, name, written) === undefined)
    report(offset, "error", `the link ${shorten(written)} is removed from the mail: use ${use}`);
  else if (name === "href" && !/^(?:[a-z][a-z0-9+.-]*:|#)/i.test(written))
    report(
      offset,
      "error",
      `the link ${shorten(written)} leads nowhere from a mail: write the whole address, with https://`,
    );
}

/** What becomes of an element: the sanitizer itself is asked, so that there is one list only. */
function fateOf(name: string): "kept" | "removed" | "unknown" {
  if (name === "style") return "kept"; // moves to the head of the document
  const probe = alternativesOf(`<${name}>x</${name}>`, "Html").html;
  if (probe.startsWith("&lt;")) return "unknown";
  return probe.startsWith(`<${name}`) ? "kept" : "removed";
}

/** The value that an attribute keeps; undefined when the attribute goes. */
function attributesOf(element: string, name: string, value: string): string | undefined {
  const quoted = value.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  const probe = alternativesOf(`<${element} ${name}="${quoted}">x</${element}>`, "Html").html;
  const kept = new RegExp(`^<${element} ${name}(?:="([^"]*)")?`).exec(probe);
  return kept === null ? undefined : (kept[1] ?? "");
}

function propertiesOf(style: string): string[] {
  return style.split(";").flatMap((part) => {
    const name = part.split(":")[0]?.trim().toLowerCase() ?? "";
    return name === "" || !part.includes(":") ? [] : [name];
  });
}

function shorten(text: string): string {
  return text.length > 60 ? `"${text.slice(0, 60)}…"` : `"${text}"`;
}
