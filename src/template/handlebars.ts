import { createRequire } from "node:module";

/**
 * Handlebars in the one file that its package has for browsers: the same code. The modules that `import` finds carry a source
 * map each, which Node keeps, and a library that writes more of them: 1.6 MiB (docs/decisions/036).
 */
export const Handlebars = createRequire(import.meta.url)(
  "handlebars/dist/handlebars.min.js",
) as typeof import("handlebars");
