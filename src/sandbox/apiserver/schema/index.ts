/** The schemas of custom resources: what a CRD's `openAPIV3Schema` keeps, fills in and refuses. All pure. */
import { defaultValue } from "./defaults.ts";
import type { FieldError } from "./field-error.ts";
import { readSchema, type SchemaNode } from "./node.ts";
import { pruneValue } from "./prune.ts";
import { validateValue } from "./validate.ts";

export type { FieldError } from "./field-error.ts";
export type { SchemaNode } from "./node.ts";
export { checkStructural } from "./structural.ts";

/** One version's compiled schema. No function changes the value it is given. */
export interface StructuralSchema {
  /** The value without undeclared fields; apiVersion, kind and metadata stay as they are. */
  prune<T>(value: T): T;
  /** The value with defaults filled in, and without nulls in fields that are not nullable. */
  applyDefaults<T>(value: T): T;
  /** What is wrong with the value, with fields below `path` ("" for the whole object). */
  validate(value: unknown, path?: string): FieldError[];
  /** One `unknown field "spec.foo"` for each field that prune would drop: the warnings and errors of `fieldValidation`. */
  unknownFields(value: unknown): string[];
  /** The schema as it was read, for server-side apply. */
  node: SchemaNode;
}

/**
 * Compiles a CRD version's `openAPIV3Schema`. `x-kubernetes-validations` (CEL) is read over, not evaluated.
 * Source: the structural schemas of apiextensions.k8s.io/v1.
 */
export function compileSchema(openAPIV3Schema: unknown): StructuralSchema {
  const node = readSchema(openAPIV3Schema);
  return {
    node,
    prune: <T>(value: T) => pruneValue(value, node).value as T, // a part of the same object
    applyDefaults: <T>(value: T) => defaultValue(value, node) as T,
    validate: (value, path = "") => validateValue(value, node, path),
    unknownFields: (value) => pruneValue(value, node).pruned.map((field) => `unknown field "${field}"`),
  };
}
