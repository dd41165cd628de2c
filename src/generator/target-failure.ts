import { formatKey, type ObjectKey } from "../resources/object.ts";
import { formatTarget, type TargetIdentity } from "./build.ts";
import { messageOf } from "./errors.ts";
import type { ServedType } from "./ports.ts";
import { type ApiError, isApiError } from "./ports.ts";

/** Why a target could not be created, in words that say what to do, and whether trying again can help. */
export interface TargetFailure {
  message: string;
  retry: boolean;
  retryAfterMs: number;
}

/** The failure of a target whose kind the cluster does not serve. */
export function notServed({ apiVersion, kind }: TargetIdentity): TargetFailure {
  const [group = "", version = ""] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
  const api = group === "" ? `${kind} (${version})` : `${kind.toLowerCase()}s.${group}/${version}`;
  return {
    message: `${api} is not served by this cluster: install the CRDs, or correct generate.apiVersion and generate.kind`,
    retry: true,
    retryAfterMs: 0,
  };
}

/** What was refused: the verb in words, and the verbs that the Role must have for it. */
export interface RefusedAction {
  verb: string;
  verbs: string;
}

export const CREATE: RefusedAction = { verb: "create", verbs: "get and create" };
export const SYNCHRONIZE: RefusedAction = { verb: "update", verbs: "get, create, update, patch and delete" };
export const READ_SOURCE: RefusedAction = { verb: "read", verbs: "get, list and patch" };
export const WATCH: RefusedAction = { verb: "watch", verbs: "get, list and watch" };
export const REMOVE: RefusedAction = { verb: "delete", verbs: "list and delete" };

/** The failure that the API server's answer to an action on a target stands for. */
export function classifyError(
  error: unknown,
  type: ServedType,
  target: TargetIdentity,
  action: RefusedAction,
): TargetFailure {
  if (!isApiError(error)) return { message: messageOf(error), retry: false, retryAfterMs: 0 };
  const failure = { retry: true, retryAfterMs: error.retryAfterMs ?? 0 };
  switch (error.code) {
    case 403:
      return { ...failure, message: describeRefusal(error, type, target, action) };
    case 404:
      if (error.details?.kind === "namespaces")
        return {
          ...failure,
          message: `namespace "${target.namespace}" does not exist: create it, or correct generate.namespace`,
        };
      return notServed(target);
    case 400:
    case 413:
    case 422:
      return { ...failure, retry: false, message: invalid(error, target, action) };
    default:
      return { ...failure, message: `Cannot ${action.verb} ${formatTarget(target)}: ${error.message}` };
  }
}

/** Who may not do what, and the Role that is missing. @param target "" as namespace stands for all of them */
export function describeRefusal(
  { message }: Pick<ApiError, "message">,
  { group, plural, namespaced }: ServedType,
  target: Pick<TargetIdentity, "namespace">,
  { verb, verbs }: RefusedAction,
): string {
  if (/is being terminated/.test(message))
    return `namespace "${target.namespace}" is being deleted: nothing can be created in it`;
  const user = /User "([^"]+)"/.exec(message)?.[1] ?? "the generator's user";
  const account = user.replace(/^system:serviceaccount:([^:]+):(.+)$/, "ServiceAccount $1/$2");
  const resource = group === "" ? plural : `${plural}.${group}`;
  const isBound = namespaced && target.namespace !== "";
  const where = isBound ? ` in namespace ${target.namespace}` : "";
  const role = isBound ? "a Role" : "a ClusterRole";
  return (
    `${account} may not ${verb} ${resource}${where}: apply ${role}${where} with the verbs ${verbs} on ` +
    `${plural} of the API group "${group}", and bind it to ${account} (${message})`
  );
}

function invalid({ message, details }: ApiError, target: TargetIdentity, { verb }: RefusedAction): string {
  const isName = details?.causes?.some(({ field }) => field === "metadata.name") ?? /metadata\.name/.test(message);
  const { length } = target.name;
  const hint = isName
    ? `: generate.name gives a name of ${length} characters that Kubernetes does not take, shorten it with truncate()`
    : "";
  return `Cannot ${verb} ${formatTarget(target)}${hint} (${message})`;
}

/** A failure that may pass. */
export function retried(message: string): TargetFailure {
  return { message, retry: true, retryAfterMs: 0 };
}

/** What is said of a copy whose source is not there. */
export function missingSource({ kind }: ServedType, { namespace, name }: ObjectKey): string {
  return `the clone source ${kind} ${formatKey({ namespace, name })} does not exist: create it, or correct generate.clone`;
}

/** The failure of a target that says a namespace where it has none, or none where it needs one. */
export function scopeProblem(
  { kind, namespaced }: ServedType,
  { namespace }: TargetIdentity,
): TargetFailure | undefined {
  if (namespaced === (namespace !== "")) return undefined;
  const message = namespaced
    ? `${kind} is namespaced: generate.namespace must say where it is created`
    : `${kind} is cluster-scoped: generate.namespace must be left out`;
  return { message, retry: false, retryAfterMs: 0 };
}
