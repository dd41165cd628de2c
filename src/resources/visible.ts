/** Control, format (bidi, zero width) and separator characters: they show nothing, or make what is around them show otherwise. */
export const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
const EACH_INVISIBLE = new RegExp(INVISIBLE, "gu");

/** A tenant's text as one line for a status, an Event or a log: line breaks are blanks, what cannot be seen is `?`. */
export function visibleLine(text: string): string {
  return INVISIBLE.test(text) ? text.replace(BREAKS, " ").replace(EACH_INVISIBLE, "?") : text;
}
