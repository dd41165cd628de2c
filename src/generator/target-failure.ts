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

/** The failure that the API server's answer to a create stands for. */
export function classifyCreateError(error: unknown, type: ServedType, target: TargetIdentity): TargetFailure {
  if (!isApiError(error)) return { message: messageOf(error), retry: false, retryAfterMs: 0 };
  const failure = { retry: true, retryAfterMs: error.retryAfterMs ?? 0 };
  switch (error.code) {
    case 403:
      return { ...failure, message: forbidden(error, type, target) };
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
      return { ...failure, retry: false, message: invalid(error, target) };
    default:
      return { ...failure, message: `Cannot create ${formatTarget(target)}: ${error.message}` };
  }
}

function forbidden({ message }: ApiError, { group, plural, namespaced }: ServedType, target: TargetIdentity): string {
  if (/is being terminated/.test(message))
    return `namespace "${target.namespace}" is being deleted: nothing can be created in it`;
  const user = /User "([^"]+)"/.exec(message)?.[1] ?? "the generator's user";
  const account = user.replace(/^system:serviceaccount:([^:]+):(.+)$/, "ServiceAccount $1/$2");
  const resource = group === "" ? plural : `${plural}.${group}`;
  const where = namespaced ? ` in namespace ${target.namespace}` : "";
  const role = namespaced ? "a Role" : "a ClusterRole";
  return (
    `${account} may not create ${resource}${where}: apply ${role}${where} with the verbs get and create on ` +
    `${plural} of the API group "${group}", and bind it to ${account} (${message})`
  );
}

function invalid({ message, details }: ApiError, target: TargetIdentity): string {
  const isName = details?.causes?.some(({ field }) => field === "metadata.name") ?? /metadata\.name/.test(message);
  const { length } = target.name;
  const hint = isName
    ? `: generate.name gives a name of ${length} characters that Kubernetes does not take, shorten it with truncate()`
    : "";
  return `Cannot create ${formatTarget(target)}${hint} (${message})`;
}
