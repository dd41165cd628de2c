/** An expression that cannot be parsed; says where as far as the parser knows. */
export class ExpressionSyntaxError extends Error {
  override readonly name = "ExpressionSyntaxError";
}

/** An expression that failed on this document: a wrong argument type, a bound that was hit. */
export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
}

/** A plain path ended at a key that its object does not have. `||`, comparators, functions and the like turn it into null. */
export class MissingKeyError extends ExpressionError {
  constructor(key: string) {
    super(`Unknown key "${key}" in path`);
  }
}
