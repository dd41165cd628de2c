import type { ManagedFieldsEntry } from "../../../resources/object.ts";
import { isEqual, isRecord } from "../schema/values.ts";
import { type FieldSet, readFieldsV1, writeFieldsV1 } from "./field-set.ts";

/** One entry of `metadata.managedFields`, with its fields read. */
export interface Manager {
  manager: string;
  operation: "Apply" | "Update";
  apiVersion: string;
  subresource?: string;
  time?: string;
  fields: Set<string>;
}

/** The managers of an object's `managedFields`; entries that cannot be read are left out. */
export function readManagers(managedFields: unknown): Manager[] {
  if (!Array.isArray(managedFields)) return [];
  return managedFields.filter(isRecord).flatMap((entry) => {
    const { manager, operation, apiVersion, subresource, time } = entry;
    if (operation !== "Apply" && operation !== "Update") return [];
    return [
      {
        manager: String(manager ?? ""),
        operation,
        apiVersion: String(apiVersion ?? ""),
        ...(typeof subresource === "string" && subresource !== "" ? { subresource } : {}),
        ...(typeof time === "string" ? { time } : {}),
        fields: readFieldsV1(entry.fieldsV1),
      },
    ];
  });
}

/** Writes `managedFields` in the API server's order: Apply before Update, then by time and name. Who owns nothing is left out. */
export function writeManagers(managers: readonly Manager[]): ManagedFieldsEntry[] {
  const order = ({ operation, time = "", manager }: Manager) => JSON.stringify([operation, time, manager]);
  return managers
    .filter(({ fields }) => fields.size > 0)
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .map(({ manager, operation, apiVersion, subresource, time, fields }) => ({
      manager,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: "FieldsV1",
      fieldsV1: writeFieldsV1(fields),
      ...(subresource === undefined ? {} : { subresource }),
    }));
}

/** Whether two entries are the same manager: an applier is one whatever the version, an updater one for each version. */
export function isSameManager(a: Manager, b: Manager): boolean {
  const sameVersion = a.operation === "Apply" || a.apiVersion === b.apiVersion;
  return a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource && sameVersion;
}

/** A manager as conflicts name it. */
export function formatManager({ manager, operation, apiVersion, subresource }: Manager): string {
  const parts = [JSON.stringify(manager)];
  if (subresource !== undefined) parts.push(`with subresource ${JSON.stringify(subresource)}`);
  if (operation === "Update") parts.push(`using ${apiVersion}`);
  return parts.join(" ");
}

export const sameFields = (a: FieldSet, b: FieldSet): boolean => isEqual([...a].sort(), [...b].sort());

/** The object with these `managedFields`, or without any when nobody owns a field. */
export function withManagers<T>(object: T, managers: readonly Manager[]): T {
  if (!isRecord(object)) return object;
  const { managedFields: _, ...metadata } = isRecord(object.metadata) ? object.metadata : {};
  const entries = writeManagers(managers);
  const owned = entries.length === 0 ? metadata : { ...metadata, managedFields: entries };
  return { ...object, metadata: owned };
}
