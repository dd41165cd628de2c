import type { KubeObject } from "../../../resources/object.ts";
import type { StatusCause } from "../protocol/api-error.ts";
import type { KindRules } from "../resources/resource.ts";
import { invalid, notSupported, required } from "../schema/field-error.ts";
import { checkStructural } from "../schema/index.ts";
import type { PrinterColumn } from "../table/custom-columns.ts";
import { compileJsonPath } from "../table/json-path.ts";
import { immutable, nameProblems } from "./names.ts";

export interface DefinitionVersion {
  name: string;
  served: boolean;
  storage: boolean;
  schema?: { openAPIV3Schema?: Record<string, unknown> };
  subresources?: { status?: object };
  deprecated?: boolean;
  deprecationWarning?: string;
  additionalPrinterColumns?: PrinterColumn[];
}

export interface DefinitionNames {
  plural: string;
  kind: string;
  singular?: string;
  listKind?: string;
  shortNames?: string[];
  categories?: string[];
}

/** `spec` of a CustomResourceDefinition, after it passed the schema. */
export interface DefinitionSpec {
  group: string;
  scope: string;
  names: DefinitionNames;
  versions: DefinitionVersion[];
  conversion?: { strategy: string };
}

export function definitionSpec(crd: KubeObject): DefinitionSpec {
  return crd["spec"] as DefinitionSpec;
}

/** CustomResourceDefinition: names default, conditions say Established at once, since nothing has to catch up. */
export const CUSTOM_RESOURCE_DEFINITION_RULES: KindRules = {
  generation: true,
  prepare(draft, live) {
    const spec = (draft["spec"] ?? {}) as Partial<DefinitionSpec>;
    const { names } = spec;
    if (names?.kind !== undefined) {
      names.singular ||= names.kind.toLowerCase();
      names.listKind ||= `${names.kind}List`;
    }
    spec.conversion ??= { strategy: "None" };
    if (names !== undefined) draft["status"] = establishedStatus(spec, names, live?.["status"]);
  },
  validate(object, live) {
    const spec = definitionSpec(object);
    if (!isComplete(spec)) return []; // the schema tells what is missing
    return [
      ...nameErrors(object, spec),
      ...versionErrors(spec),
      ...(live === undefined ? [] : changeErrors(spec, definitionSpec(live))),
    ];
  },
};

function isComplete(spec: Partial<DefinitionSpec> | undefined): spec is DefinitionSpec {
  const { names, versions, group, scope } = spec ?? {};
  return Boolean(names?.plural && names.kind && group && scope && Array.isArray(versions));
}

interface DefinitionStatus {
  conditions?: { type: string; lastTransitionTime: string }[];
  storedVersions?: string[];
}

function establishedStatus(spec: Partial<DefinitionSpec>, names: DefinitionNames, before: unknown): object {
  const { conditions = [], storedVersions = [] } = (before ?? {}) as DefinitionStatus;
  const since = conditions[0]?.lastTransitionTime ?? new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const storage = (spec.versions ?? []).filter((version) => version.storage).map((version) => version.name);
  return {
    conditions: [
      {
        type: "NamesAccepted",
        status: "True",
        lastTransitionTime: since,
        reason: "NoConflicts",
        message: "no conflicts found",
      },
      {
        type: "Established",
        status: "True",
        lastTransitionTime: since,
        reason: "InitialNamesAccepted",
        message: "the initial names have been accepted",
      },
    ],
    acceptedNames: structuredClone(names),
    storedVersions: [...new Set([...storedVersions, ...storage])],
  };
}

function nameErrors(object: KubeObject, { group, names, scope }: DefinitionSpec): StatusCause[] {
  const name = object.metadata.name ?? "";
  const expected = `${names.plural}.${group}`;
  const labels = { plural: names.plural, singular: names.singular ?? "", kind: names.kind.toLowerCase() };
  return [
    ...(name === expected ? [] : [invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')]),
    ...(group.includes(".") ? [] : [invalid("spec.group", group, "should be a domain with at least one dot")]),
    ...(["Cluster", "Namespaced"].includes(scope)
      ? []
      : [notSupported("spec.scope", scope, ["Cluster", "Namespaced"])]),
    ...Object.entries(labels).flatMap(([field, value]) =>
      nameProblems(value, "rfc1035-label").map((why) => invalid(`spec.names.${field}`, value, why)),
    ),
  ];
}

function versionErrors({ versions, conversion }: DefinitionSpec): StatusCause[] {
  const storage = versions.filter((version) => version.storage).length;
  const same = new Set(versions.map((version) => JSON.stringify(version.schema))).size === 1;
  return [
    ...(storage === 1
      ? []
      : [invalid("spec.versions", versions, "must have exactly one version marked as storage version")]),
    ...(conversion?.strategy === "None"
      ? []
      : [notSupported("spec.conversion.strategy", conversion?.strategy ?? "", ["None"])]),
    ...versions.flatMap((version, index) => schemaErrors(version, index, same)).filter(firstOfField),
    ...versions.flatMap((version, index) => columnErrors(version, `spec.versions[${index}]`)),
  ];
}

/** A schema that all versions share is reported where the API server keeps it, `spec.validation`, and once. */
function schemaErrors({ schema }: DefinitionVersion, index: number, same: boolean): StatusCause[] {
  const field = `spec.versions[${index}].schema.openAPIV3Schema`;
  if (schema?.openAPIV3Schema === undefined) return [required(field, "schemas are required")];
  return same ? checkStructural(schema.openAPIV3Schema) : checkStructural(schema.openAPIV3Schema, field);
}

function firstOfField(cause: StatusCause, index: number, all: StatusCause[]): boolean {
  return all.findIndex((one) => one.field === cause.field && one.message === cause.message) === index;
}

function columnErrors({ additionalPrinterColumns = [] }: DefinitionVersion, field: string): StatusCause[] {
  return additionalPrinterColumns.flatMap(({ jsonPath }, index) => {
    try {
      compileJsonPath(jsonPath);
      return [];
    } catch (error) {
      return [invalid(`${field}.additionalPrinterColumns[${index}].jsonPath`, jsonPath, String(error))];
    }
  });
}

function changeErrors(spec: DefinitionSpec, live: DefinitionSpec): StatusCause[] {
  return [
    ...immutable("spec.group", spec.group, live.group),
    ...immutable("spec.scope", spec.scope, live.scope),
    ...immutable("spec.names.plural", spec.names.plural, live.names.plural),
    ...immutable("spec.names.kind", spec.names.kind, live.names.kind),
  ];
}
