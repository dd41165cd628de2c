import type { Context } from "./context.ts";

const WHY = "where no escaping makes values safe in a mail: move it into text or a plain attribute";

/** Why no value may stand in a context, as the end of a sentence; undefined where it may. */
export function forbiddenPlace(c: Context): string | undefined {
  const place = placeName(c);
  return place && `${place}, ${WHY}`;
}

function placeName({ state, delim, element, foreignScript }: Context): string | undefined {
  if (state.startsWith("JS")) return delim === "None" ? "inside <script>" : "in an event handler attribute";
  if (state.startsWith("CSS") && delim === "None") return "inside <style>";
  if (state === "AttrName" || state === "Tag") return "in the name of an attribute";
  if (foreignScript && (state === "Text" || state === "HTMLCmt") && element === "None") return "inside <script>";
  return undefined;
}
