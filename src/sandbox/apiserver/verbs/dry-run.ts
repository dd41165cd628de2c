import { badRequest } from "../protocol/api-error.ts";
import type { Call } from "./scope.ts";

/** Whether a write is only tried. @throws ApiError 400 for anything but `dryRun=All` */
export function isDryRun({ request }: Pick<Call, "request">): boolean {
  const values = request.query.getAll("dryRun").filter((value) => value !== "");
  const unknown = values.find((value) => value !== "All");
  if (unknown !== undefined)
    throw badRequest(`Invalid value: ["${unknown}"]: dryRun: Unsupported value: supported values: "All"`);
  return values.length > 0;
}
