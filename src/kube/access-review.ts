import type { AccessReviewer, Action, ApiUser } from "../http/ports.ts";
import { apiVersionOf, type ResourceType } from "../resources/kinds.ts";
import type { KubeClient } from "./client.ts";

function review(group: string, kind: string, plural: string): ResourceType {
  return { group, version: "v1", kind, plural, namespaced: false };
}

const TOKEN_REVIEW = review("authentication.k8s.io", "TokenReview", "tokenreviews");
const ACCESS_REVIEW = review("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews");

/** Asks the API server who a token is and what they may do; nothing is decided here. */
export function createAccessReviewer(client: Pick<KubeClient, "create">): AccessReviewer {
  /** A review is created to be answered, and stored nowhere. */
  const ask = async (type: ResourceType, spec: object, signal: AbortSignal) => {
    const object = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: {}, spec };
    const { status } = await client.create(type, object, signal);
    return (status ?? {}) as Record<string, unknown>;
  };
  return {
    async authenticate(token, signal) {
      const { authenticated, user } = await ask(TOKEN_REVIEW, { token }, signal);
      const isUser = authenticated === true && typeof (user as ApiUser | undefined)?.username === "string";
      return isUser ? (user as ApiUser) : undefined;
    },
    async authorize({ username, uid, groups, extra }, action: Action, signal) {
      const spec = { user: username, uid, groups, extra, resourceAttributes: action };
      const { allowed, reason } = await ask(ACCESS_REVIEW, spec, signal);
      return { allowed: allowed === true, reason: typeof reason === "string" ? reason : "" };
    },
  };
}
