import { compileSchema } from "../schema/index.ts";

export type JsonSchema = { [key: string]: unknown };
export type StructuralSchema = ReturnType<typeof compileSchema>;

/** A kind's schema in both forms: as published, and compiled for pruning, defaulting and validating. */
export interface KindSchema {
  /** OpenAPI v3, without `$ref`. */
  readonly raw: JsonSchema;
  readonly structural: StructuralSchema;
}

/** Makes the schema when it is first asked for. */
export function lazySchema(load: () => JsonSchema): KindSchema {
  let raw: JsonSchema | undefined;
  let structural: StructuralSchema | undefined;
  return {
    get raw() {
      raw ??= load();
      return raw;
    },
    get structural() {
      structural ??= compileSchema(this.raw);
      return structural;
    },
  };
}
