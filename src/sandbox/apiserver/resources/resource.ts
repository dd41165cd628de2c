import { apiVersionOf, type ResourceType } from "../../../resources/kinds.ts";
import type { KubeObject } from "../../../resources/object.ts";
import type { StatusCause, StatusSubject } from "../protocol/api-error.ts";
import type { KindSchema } from "../resources/kind-schema.ts";

/** One printer column: `kubectl get` shows priority 0, `-o wide` the others too. */
export interface Column {
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "date";
  format?: string;
  description: string;
  priority: number;
  /** The cell of an object; `now` in ms since 1970, for ages. */
  cell(object: KubeObject, now: number): string | number | boolean | null;
}

/** What a kind asks for beyond its schema. Every member may be left out: a plain stored object. */
export interface KindRules {
  /** How names are checked; RFC 1123 subdomain when absent. */
  names?: "subdomain" | "label" | "rfc1035-label" | "path-segment";
  /** Fills in and keeps what a real server does, in place. `live` is undefined when the object is new. */
  prepare?(draft: KubeObject, live: KubeObject | undefined): void;
  /** What is wrong with an object, or with the step from `live` to it. */
  validate?(object: KubeObject, live: KubeObject | undefined): StatusCause[];
  /** Field selectors beyond `metadata.name` and `metadata.namespace`; the keys are those of any object, `{}` included. */
  fields?(object: KubeObject): Record<string, string>;
  /** `metadata.generation` starts at 1 and grows with each change outside metadata and status. */
  generation?: boolean;
  /** PUT without resourceVersion replaces whatever is there. */
  unconditionalUpdate?: boolean;
  /** PUT creates what is not there. */
  createOnUpdate?: boolean;
}

/** A further representation of a stored kind: the other API group of Event. */
export interface StoredForm {
  fromStored(object: KubeObject): KubeObject;
  toStored(object: KubeObject): KubeObject;
}

/** One kind in one version, as it is served. */
export interface Resource extends ResourceType {
  singular: string;
  listKind: string;
  shortNames: readonly string[];
  categories: readonly string[];
  /** Built-in kinds take strategic merge patches and PUT without kind; custom ones do not. */
  custom: boolean;
  /** Served with a `/status` of its own: then writes to the object leave status alone, and the other way round. */
  hasStatus: boolean;
  /** Where the objects of all versions of the kind are kept. */
  collection: string;
  form?: StoredForm;
  /** Sent with every answer: this version is going away. */
  deprecation?: string;
  rules: KindRules;
  columns: readonly Column[];
  /** Compiled on first use: few of the built-in kinds are needed in one run. */
  readonly schema: KindSchema;
}

/** Subject of errors that name the plural (`configmaps "x" not found`). */
export function subjectOf(resource: ResourceType, name?: string): StatusSubject {
  return { group: resource.group, kind: resource.plural, ...(name === undefined ? {} : { name }) };
}

/** Subject of errors that name the kind (`ConfigMap "x" is invalid`). */
export function kindSubjectOf(resource: ResourceType, name: string): StatusSubject {
  return { group: resource.group, kind: resource.kind, name };
}

/** The object as this version of the kind shows it. Stored objects are shared: the result is never changed in place. */
export function present(resource: Resource, object: KubeObject): KubeObject {
  const apiVersion = apiVersionOf(resource);
  if (object.apiVersion === apiVersion) return object;
  return { ...(resource.form?.fromStored(object) ?? object), apiVersion };
}

/** The object as it is stored, from what this version of the kind shows. */
export function toStored(resource: Resource, object: KubeObject): KubeObject {
  return resource.form?.toStored(object) ?? object;
}

/** The fields that a field selector may name, with their values in `object`. */
export function selectableFields(resource: Resource, object: KubeObject): Record<string, string> {
  const { name = "", namespace = "" } = object.metadata;
  return {
    "metadata.name": name,
    ...(resource.namespaced || !resource.custom ? { "metadata.namespace": namespace } : {}),
    ...resource.rules.fields?.(object),
  };
}
