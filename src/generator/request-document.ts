import { apiVersionOf } from "../resources/kinds.ts";
import type { Json, KubeObject } from "../resources/object.ts";
import { imagesOf } from "./images.ts";
import type { JsonObject } from "./jmespath/values.ts";
import type { ChangeRequest } from "./request.ts";

/**
 * The document that expressions see, before context entries: `request.*` as an admission request would have it, and the
 * `images` of what runs containers. A watch
 * knows no user, so userInfo is empty. On CREATE, oldObject is empty: its fields count as not found.
 */
export function requestDocument({ operation, type, object, oldObject }: ChangeRequest): JsonObject {
  const { group, version, kind, plural } = type;
  const gvk = { group, version, kind };
  const gvr = { group, version, resource: plural };
  const images = imagesOf(type, object);
  return {
    request: {
      uid: object.metadata.uid ?? "",
      operation,
      name: object.metadata.name ?? "",
      namespace: object.metadata.namespace ?? "",
      object: asJson(object, apiVersionOf(type), kind),
      oldObject: oldObject === undefined ? {} : asJson(oldObject, apiVersionOf(type), kind),
      kind: gvk,
      requestKind: gvk,
      resource: gvr,
      requestResource: gvr,
      subResource: "",
      requestSubResource: "",
      dryRun: false,
      options: null,
      userInfo: {},
      roles: [],
      clusterRoles: [],
    },
    serviceAccountName: "",
    serviceAccountNamespace: "",
    ...(images === undefined ? {} : { images }),
  };
}

/** Objects of a list come without apiVersion and kind. */
function asJson(object: KubeObject, apiVersion: string, kind: string): Json {
  return {
    ...(object as unknown as JsonObject),
    apiVersion: object.apiVersion ?? apiVersion,
    kind: object.kind ?? kind,
  };
}
