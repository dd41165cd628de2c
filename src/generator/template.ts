/** `{{ … }}` in a text of a policy; its inside is text again, which may hold tokens. */
export interface Token {
  parts: TemplatePart[];
  /** `{{- … }}`. Kyverno does not look into its result for tokens; courier never does, so it changes nothing here. */
  shallow: boolean;
}
export type TemplatePart = string | Token;

const MAX_DEPTH = 16;

/**
 * Splits a text into plain text and tokens. A token's braces are not escaped by a backslash and hold no other braces than
 * single `{…}` groups and whole tokens; `\{{` is the text `{{`; what has no end stays text.
 */
export function parseTemplate(text: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let plain = "";
  for (let index = 0; index < text.length; ) {
    if (text.startsWith("\\{{", index)) {
      plain += "{{";
      index += 3;
      continue;
    }
    const found = text.startsWith("{{", index) ? parseToken(text, index, 0) : undefined;
    if (found === undefined) {
      plain += text.charAt(index);
      index += 1;
      continue;
    }
    if (plain !== "") parts.push(plain);
    plain = "";
    parts.push(found.token);
    index = found.end;
  }
  if (plain !== "") parts.push(plain);
  return parts;
}

interface Found {
  token: Token;
  end: number;
}

function parseToken(text: string, start: number, depth: number): Found | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const shallow = text.charAt(start + 2) === "-";
  const parts: TemplatePart[] = [];
  let plain = "";
  let inGroup = false;
  for (let index = start + (shallow ? 3 : 2); index < text.length; ) {
    const char = text.charAt(index);
    const nested = text.startsWith("{{", index) ? parseToken(text, index, depth + 1) : undefined;
    if (nested !== undefined) {
      if (plain !== "") parts.push(plain);
      plain = "";
      parts.push(nested.token);
      index = nested.end;
      continue;
    }
    if (!inGroup && text.startsWith("}}", index)) {
      if (plain !== "") parts.push(plain);
      return { token: { parts, shallow }, end: index + 2 };
    }
    if (char === "{" && inGroup) return undefined;
    if (char === "}" && !inGroup) return undefined;
    if (char === "{") inGroup = true;
    if (char === "}") inGroup = false;
    plain += char;
    index += 1;
  }
  return undefined;
}
