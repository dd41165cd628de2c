import type { Json } from "../resources/object.ts";
import { RuleError } from "./errors.ts";
import { toText } from "./jmespath/values.ts";

/**
 * The text that stands for a nested token's value inside an outer expression. It is a value, never more of the expression:
 * inside quotes it is escaped, outside it may be a number, true, false, null or a plain name. Kyverno pastes it as it is,
 * which lets the author of a source object write expressions.
 * @param before the expression up to the token
 * @throws RuleError when the value cannot stand there
 */
export function placeInExpression(before: string, value: Json, path: string): string {
  const quotes = openQuotes(before);
  const text = toText(value);
  switch (quotes) {
    case "'":
      if (text.endsWith("\\"))
        throw new RuleError(`${path}: a value that ends in a backslash cannot stand between single quotes`);
      return text.replaceAll("'", "\\'");
    case '"':
    case '`"':
      return JSON.stringify(text).slice(1, -1).replaceAll("`", "\\u0060");
    case "`":
      return JSON.stringify(value).replaceAll("`", "\\u0060");
    default:
      if (typeof value !== "string" && (typeof value !== "object" || value === null)) return text;
      if (/^(?:\d+|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)$/.test(text)) return text;
      throw new RuleError(
        `${path}: the value of a nested {{ }} would become part of an expression: write it between quotes, as '{{ … }}' or "{{ … }}"`,
      );
  }
}

/** Which quotes are open at the end of an expression's beginning; "" when none are. */
function openQuotes(before: string): "" | "'" | '"' | "`" | '`"' {
  let open = "";
  for (let index = 0; index < before.length; index += 1) {
    const char = before.charAt(index);
    if (char === "\\" && open !== "") index += open === "'" && before.charAt(index + 1) !== "'" ? 0 : 1;
    else if (open === "" && "'\"`".includes(char)) open = char;
    else if (open === "`" && char === '"') open = '`"';
    else if (open === '`"' && char === '"') open = "`";
    else if (char === open || (open === '`"' && char === "`")) open = "";
  }
  return open as ReturnType<typeof openQuotes>;
}
