/** What one template may use; DESIGN.md §8. */
export interface TemplateLimits {
  /** UTF-8 bytes of a template's source. */
  sourceBytes: number;
  /** Words, signs and delimiters of all actions of a source together: what compiling costs. */
  tokens: number;
  /** UTF-8 bytes of the rendered text, and of any single value made on the way. */
  outputBytes: number;
  /** Turns of all `range` loops of one rendering together. */
  iterations: number;
  /** `template` calls inside one another. */
  depth: number;
  /** Blocks inside one another in the source. */
  nesting: number;
  /** Wall time of one rendering. */
  renderMs: number;
}

export const DEFAULT_LIMITS: TemplateLimits = Object.freeze({
  sourceBytes: 256 * 1024,
  tokens: 30_000,
  outputBytes: 1024 * 1024,
  iterations: 100_000,
  depth: 100,
  nesting: 100,
  renderMs: 1000,
});
