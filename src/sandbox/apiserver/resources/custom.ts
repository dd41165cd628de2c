import type { KubeObject } from "../../../resources/object.ts";
import { type DefinitionVersion, definitionSpec } from "../kinds/custom-resource-definition.ts";
import { customColumns } from "../table/custom-columns.ts";
import { lazySchema } from "./kind-schema.ts";
import type { Resource } from "./resource.ts";

/** The collection of a definition's objects, whatever their version. */
export function customCollection(crd: KubeObject): string {
  const { group, names } = definitionSpec(crd);
  return `${group}/${names.plural}`;
}

/** One resource for each served version of a CustomResourceDefinition. */
export function customResources(crd: KubeObject): Resource[] {
  const { versions } = definitionSpec(crd);
  return versions.filter((version) => version.served).map((version) => toResource(crd, version));
}

function toResource(crd: KubeObject, version: DefinitionVersion): Resource {
  const { group, names, scope } = definitionSpec(crd);
  const { singular = names.kind.toLowerCase(), listKind = `${names.kind}List` } = names;
  return {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    singular,
    listKind,
    namespaced: scope === "Namespaced",
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    custom: true,
    hasStatus: version.subresources?.status !== undefined,
    collection: customCollection(crd),
    ...(version.deprecated === true ? { deprecation: deprecationOf(crd, version) } : {}),
    rules: { generation: true },
    columns: customColumns(version.additionalPrinterColumns),
    schema: lazySchema(() => version.schema?.openAPIV3Schema ?? {}),
  };
}

function deprecationOf(crd: KubeObject, { name, deprecationWarning }: DefinitionVersion): string {
  const { group, names } = definitionSpec(crd);
  return deprecationWarning ?? `${group}/${name} ${names.kind} is deprecated`;
}
