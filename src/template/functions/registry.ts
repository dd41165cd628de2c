import { collectionFunctions } from "./collections.ts";
import { comparisonFunctions } from "./comparison.ts";
import { dateFunctions } from "./dates.ts";
import type { GoFunction } from "./function.ts";
import { humanizeFunctions } from "./humanize.ts";
import { jsonFunctions } from "./json.ts";
import { printingFunctions } from "./printing.ts";
import { regexpFunctions } from "./regexp.ts";
import { SAFE_HTML, safeHtmlFunctions } from "./safe-html.ts";
import { textFunctions } from "./text.ts";

/** Every function of a lowered template, by name. `and` and `or` are the language's own: they stop early. */
export const FUNCTIONS: ReadonlyMap<string, GoFunction> = new Map(
  Object.entries({
    ...collectionFunctions,
    ...comparisonFunctions,
    ...printingFunctions,
    ...dateFunctions,
    ...humanizeFunctions,
    ...textFunctions,
    ...jsonFunctions,
    ...regexpFunctions,
    ...safeHtmlFunctions,
  }),
);

/** Names that every author may call; others stand only where the analysis for HTML puts them, or an administrator allows them. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(
  ["and", "or", ...FUNCTIONS.keys()].filter((name) => !name.startsWith("_") && name !== SAFE_HTML),
);

/** {@link FUNCTION_NAMES} where an administrator has allowed `safeHtml`. */
export const FUNCTION_NAMES_WITH_SAFE_HTML: ReadonlySet<string> = new Set([...FUNCTION_NAMES, SAFE_HTML]);
