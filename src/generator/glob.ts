/**
 * Whether `text` is what `pattern` describes: `*` is any text, `?` exactly one character, all else literal, anchored and
 * case-sensitive; an empty pattern is only the empty text. Linear backtracking: no pattern takes exponential time.
 */
export function matchGlob(pattern: string, text: string): boolean {
  if (!isGlob(pattern)) return pattern === text;
  const wanted = [...pattern];
  const given = [...text];
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let index = 0; index < given.length; ) {
    if (wanted[at] === "*") {
      star = at;
      resume = index;
      at += 1;
    } else if (at < wanted.length && (wanted[at] === "?" || wanted[at] === given[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      index = resume;
    } else return false;
  }
  return wanted.slice(at).every((char) => char === "*");
}

/** Whether `pattern` has a wildcard at all. */
export function isGlob(pattern: string): boolean {
  return pattern.includes("*") || pattern.includes("?");
}

/** Whether any of `patterns` describes `text`. */
export function matchAnyGlob(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => matchGlob(pattern, text));
}
