import { styleSheetOf } from "../mail/html.ts";
import { checkBalance } from "./check-balance.ts";
import { type Finding, findingAt } from "./finding.ts";
import { fateOf, keptValue } from "./html-fate.ts";
import { type Attribute, HOLE, type Piece, type Report, splitHtml } from "./html-source.ts";
import { inPart, type TemplateManifest } from "./template-part.ts";

/** Nobody reads more of one template; what is wrong at one place often is at many. */
const MAX_FINDINGS = 50;

/** What is wrong with the HTML of an `Html` content: tags that do not match, and what mails are not sent with. */
export function checkHtml(template: TemplateManifest): Finding[] {
  const { manifest, email, content } = template;
  const pieces = splitHtml(content.source);
  const tags = pieces.filter((piece) => "name" in piece);
  const isHtml = tags.some(({ name }) => fateOf(name) !== "unknown");
  const findings: Finding[] = [];
  const report: Report = (offset, severity, message) => {
    if (findings.length >= MAX_FINDINGS) return;
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
  const kept = keptValue(element, name, written);
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
  if (keptValue(element, name, written) === undefined)
    report(offset, "error", `the link ${shorten(written)} is removed from the mail: use ${use}`);
  else if (name === "href" && !/^(?:[a-z][a-z0-9+.-]*:|#)/i.test(written))
    report(
      offset,
      "error",
      `the link ${shorten(written)} leads nowhere from a mail: write the whole address, with https://`,
    );
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
