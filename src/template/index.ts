/** The templates' public face: compile once, render often. */
export {
  type CompiledTemplate,
  type CompileOptions,
  compileTemplate,
  type TemplateDialect,
  type TemplateMode,
} from "./compile-template.ts";
export { DEFAULT_LIMITS, type TemplateLimits } from "./limits.ts";
export { parseData } from "./parse-data.ts";
export { TemplateError, type TemplateStage } from "./template-error.ts";
