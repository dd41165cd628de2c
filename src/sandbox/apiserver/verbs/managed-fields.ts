import { apiVersionOf } from "../../../resources/kinds.ts";
import type { KubeObject } from "../../../resources/object.ts";
import { updateManagedFields } from "../patch/index.ts";
import { present } from "../resources/resource.ts";
import { timestamp } from "./metadata.ts";
import type { Call } from "./scope.ts";

const MAX_MANAGER_CHARS = 128;

/** Who a write is by: `fieldManager`, or the first word of the User-Agent, as a real server has it. */
export function managerOf({ request }: Pick<Call, "request">): string {
  const given = request.query.get("fieldManager") ?? "";
  const agent = (request.headers["user-agent"] ?? "").split("/", 1)[0] ?? "";
  return (given || agent || "unknown").slice(0, MAX_MANAGER_CHARS);
}

/** The object with `metadata.managedFields` that say which fields this update made its own. */
export function trackUpdate(call: Call, after: KubeObject, live: KubeObject | undefined): KubeObject {
  const { resource, path } = call;
  return updateManagedFields({
    before: live === undefined ? undefined : present(resource, live),
    after,
    manager: managerOf(call),
    ...(path.subresource === "" ? {} : { subresource: path.subresource }),
    apiVersion: apiVersionOf(resource),
    time: timestamp(),
    schema: resource.schema.structural,
  });
}

/** For a server-side apply, which has settled the managed fields before. */
export function keepManagedFields(_call: Call, after: KubeObject): KubeObject {
  return after;
}
