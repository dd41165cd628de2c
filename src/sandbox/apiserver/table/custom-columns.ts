import type { KubeObject } from "../../../resources/object.ts";
import type { Column } from "../resources/resource.ts";
import { AGE, NAME } from "./columns.ts";
import { humanDuration } from "./duration.ts";
import { compileJsonPath } from "./json-path.ts";

/** An entry of a CRD version's `additionalPrinterColumns`. */
export interface PrinterColumn {
  name: string;
  type: Column["type"];
  format?: string;
  description?: string;
  priority?: number;
  jsonPath: string;
}

/** The columns of a custom kind: the name, then the declared ones, or the age where none is declared. */
export function customColumns(declared: readonly PrinterColumn[] | undefined): Column[] {
  if (declared === undefined || declared.length === 0) return [NAME, AGE];
  return [NAME, ...declared.map(toColumn)];
}

function toColumn({ name, type, format, description = "", priority = 0, jsonPath }: PrinterColumn): Column {
  const find = compileJsonPath(jsonPath);
  return {
    name,
    type,
    ...(format === undefined ? {} : { format }),
    description:
      description === "" ? `Custom resource definition column (in JSONPath format): ${jsonPath}` : description,
    priority,
    cell: (object: KubeObject, now: number) => cellOf(find(object)[0], type, now),
  };
}

/** A cell holds a scalar of the column's type; anything else is left blank, as a real server leaves it. */
function cellOf(value: unknown, type: Column["type"], now: number): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  switch (type) {
    case "string":
      return typeof value === "object" ? JSON.stringify(value) : String(value);
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? humanDuration(now - Date.parse(value)) : null;
    default:
      return null;
  }
}
