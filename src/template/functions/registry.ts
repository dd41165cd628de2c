import { collectionFunctions } from "./collections.ts";
import { comparisonFunctions } from "./comparison.ts";
import type { GoFunction } from "./function.ts";
import { printingFunctions } from "./printing.ts";

/** Every function a Go template may call, by name. `and` and `or` are the language's own: they stop early. */
export const FUNCTIONS: ReadonlyMap<string, GoFunction> = new Map(
  Object.entries({
    ...collectionFunctions,
    ...comparisonFunctions,
    ...printingFunctions,
  }),
);

/** Names that may stand where a function is called. */
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(["and", "or", ...FUNCTIONS.keys()]);
