import { badRequest } from "../protocol/api-error.ts";

/** One term of a field selector. Which paths a kind knows is the server's to check. */
export interface FieldTerm {
  path: string;
  operator: "=" | "!=";
  value: string;
}

/**
 * Reads a field selector (`metadata.name=a,status.phase!=Done`); `==` is read as `=`, and `\,`, `\=`, `\\` in values
 * as the characters themselves. @throws ApiError 400 with apimachinery's wording
 */
export function parseFieldSelector(text: string): FieldTerm[] {
  const terms = splitUnescaped(text).filter((term) => term !== "");
  return terms.map((term) => parseTerm(term, text));
}

function splitUnescaped(text: string): string[] {
  return text.match(/(\\.|[^\\,]|\\$)+/gs) ?? [];
}

function parseTerm(term: string, text: string): FieldTerm {
  const match = /^([^=!]*)(!=|==|=)(.*)$/s.exec(term);
  if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
  const [, path = "", operator = "=", value = ""] = match;
  return { path, operator: operator === "!=" ? "!=" : "=", value: unescapeValue(value) };
}

function unescapeValue(value: string): string {
  return value.replaceAll(/\\(.?)|[,=]/gs, (found, escaped?: string) => {
    if (escaped === undefined) throw badRequest(`invalid field selector: unescaped character in value: ${found}`);
    if (!/^[\\,=]$/.test(escaped)) throw badRequest(`invalid field selector: invalid escape sequence: ${found}`);
    return escaped;
  });
}
