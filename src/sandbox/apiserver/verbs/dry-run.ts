import { invalid } from "../protocol/api-error.ts";
import type { Call } from "./scope.ts";

/** Whether a write is only tried. @throws ApiError 422 for anything but `dryRun=All` */
export function isDryRun({ request }: Pick<Call, "request">): boolean {
  const values = request.query.getAll("dryRun").filter((value) => value !== "");
  const unknown = values.find((value) => value !== "All");
  if (unknown !== undefined) {
    const message = `Unsupported value: []string{${JSON.stringify(unknown)}}: supported values: "All"`;
    throw invalid({ group: "meta.k8s.io", kind: optionsKind(request.method) }, [
      { reason: "FieldValueNotSupported", message, field: "dryRun" },
    ]);
  }
  return values.length > 0;
}

/** The options that a method's query parameters make up. */
export function optionsKind(method: string): string {
  return { POST: "CreateOptions", PUT: "UpdateOptions", PATCH: "PatchOptions" }[method] ?? "DeleteOptions";
}
