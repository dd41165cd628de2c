import type { KubeObject } from "../../../resources/object.ts";
import { type Resource, toStored } from "../resources/resource.ts";

/** What a row carries beside its cells: `Metadata` is what kubectl needs to print namespaces and labels. */
export type IncludeObject = "None" | "Metadata" | "Object";

/** A `meta.k8s.io/v1` Table of objects that are already in the resource's version. */
export function toTable(
  resource: Resource,
  objects: readonly KubeObject[],
  { metadata, include, headers = true }: { metadata: object; include: IncludeObject; headers?: boolean },
): object {
  const now = Date.now();
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: headers ? columnDefinitions(resource) : null,
    rows: objects.map((object) => ({
      cells: resource.columns.map((column) => column.cell(toStored(resource, object), now)),
      object: rowObject(object, include),
    })),
  };
}

function columnDefinitions(resource: Resource): object[] {
  return resource.columns.map(({ name, type, format = "", description, priority }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

function rowObject(object: KubeObject, include: IncludeObject): object | null {
  if (include === "None") return null;
  return include === "Object" ? object : partialMetadata(object);
}

/** An object reduced to its metadata. */
export function partialMetadata({ metadata }: KubeObject): object {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
}
