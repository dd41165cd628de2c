/** The style sheet that a template may bring: what inline styles cannot say, such as dark mode and narrow screens. */

/** A style sheet of which nothing is left that could fetch, compute or leave the `<style>` element. */
export interface StyleSheet {
  /** Rules in a form of our own; "" when none is left. */
  css: string;
  /** What was left out, as it was written. */
  dropped: string[];
}

/** Whether a property with this value may stand in a mail. */
export type StylePermit = (property: string, value: string) => boolean;

/** Gmail drops a sheet beyond 8,192 characters as a whole. */
const MAX_LENGTH = 8192;
/** Elements, classes, ids, states; `[data-ogsc]` and `[data-ogsb]` are how Outlook's own dark mode is met. */
const SELECTOR = /^(?:[\w\s.,>*#:-]|\[data-ogs[bc]\])+$/;
const FEATURE = String.raw`\([a-z-]+\s*:\s*[\w.]+\)`;
const MEDIA = new RegExp(`^@media\\s+(?:(?:only\\s+)?(?:screen|all)|${FEATURE})(?:\\s+and\\s+${FEATURE})*$`, "i");

/** Keeps the rules of `sheets` (the insides of `<style>` elements) that are plain selectors and permitted styles, and `@media` around them. */
export function filterStyleSheets(sheets: readonly string[], isPermitted: StylePermit): StyleSheet {
  const source = sheets.join("\n").replace(/\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/|<!--|-->/g, " ");
  if (source.trim() === "") return { css: "", dropped: [] };
  if (source.length > MAX_LENGTH) return { css: "", dropped: [`all of it: it has more than ${MAX_LENGTH} characters`] };
  const dropped: string[] = [];
  const css = filterRules(source, isPermitted, dropped, 0);
  return { css, dropped };
}

function filterRules(source: string, isPermitted: StylePermit, dropped: string[], depth: number): string {
  let css = "";
  for (const { prelude, block } of splitRules(source)) {
    const isMedia = depth === 0 && MEDIA.test(prelude);
    if (block === undefined || !(isMedia || SELECTOR.test(prelude))) {
      dropped.push(prelude);
      continue;
    }
    const inside = isMedia
      ? filterRules(block, isPermitted, dropped, 1)
      : filterDeclarations(block, isPermitted, dropped);
    if (inside !== "") css += isMedia ? `${oneLine(prelude)} {\n${inside}}\n` : `${oneLine(prelude)} { ${inside}}\n`;
  }
  return css;
}

/** Rules with their blocks, and statements such as `@import` without one. */
function splitRules(source: string): { prelude: string; block: string | undefined }[] {
  const rules: { prelude: string; block: string | undefined }[] = [];
  let prelude = "";
  let start = 0;
  let depth = 0;
  for (let at = 0; at < source.length; at++) {
    const character = source[at];
    if (character === "{" && depth++ === 0) {
      prelude = source.slice(start, at).trim();
      start = at + 1;
    } else if (character === "}" && depth > 0 && --depth === 0) {
      rules.push({ prelude, block: source.slice(start, at) });
      start = at + 1;
    } else if (character === ";" && depth === 0) {
      rules.push({ prelude: source.slice(start, at).trim(), block: undefined });
      start = at + 1;
    }
  }
  const rest = source.slice(start).trim();
  if (rest !== "" || depth > 0) rules.push({ prelude: depth > 0 ? prelude : rest, block: undefined });
  return rules.filter((rule) => rule.prelude !== "" || rule.block !== undefined);
}

function filterDeclarations(block: string, isPermitted: StylePermit, dropped: string[]): string {
  let css = "";
  for (const declaration of block.split(";")) {
    const text = oneLine(declaration);
    if (text === "") continue;
    const colon = text.indexOf(":");
    const property = text.slice(0, colon).trim().toLowerCase();
    const value = text.slice(colon + 1).trim();
    if (colon > 0 && isPermitted(property, value)) css += `${property}: ${value}; `;
    else dropped.push(text);
  }
  return css;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
