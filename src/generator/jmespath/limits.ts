/** Bounds on one expression. Policies of a namespace come from its tenants, so each has one. */
export const LIMITS = {
  /** Characters of an expression's text. */
  textLength: 16_384,
  /** Tokens of an expression, which bounds the depth of its tree. */
  tokens: 2_000,
  /** Brackets open at once. */
  nesting: 64,
  /** Nodes visited, and values given to and made by functions, by all expressions of one rule for one event. */
  steps: 2_000_000,
  /** Characters of a string made by a function. */
  stringLength: 1_048_576,
  /** Depth of a value made by an evaluation. */
  depth: 128,
} as const;
