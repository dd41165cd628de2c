import { type Answer, json } from "../protocol/answer.ts";
import { invalid, methodNotAllowed, notFound } from "../protocol/api-error.ts";
import { readObject } from "../protocol/body.ts";
import type { ApiRequest, ResourcePath } from "../protocol/request.ts";
import type { ServerState } from "../server-state.ts";

type Fields = Record<string, unknown>;

/** One kind that is only ever POSTed: a question with its answer in `status`, stored nowhere. */
export interface Review {
  group: string;
  kind: string;
  plural: string;
  answer(state: ServerState, request: ApiRequest, spec: Fields): Fields;
}

/** Nothing is enforced: whoever has a known token may do everything. */
const ALLOWED = { allowed: true };

export const REVIEWS: readonly Review[] = [
  {
    group: "authentication.k8s.io",
    kind: "TokenReview",
    plural: "tokenreviews",
    answer: (state, _request, spec) => {
      const user = state.authenticator.userOf(String(spec["token"] ?? ""));
      return user === undefined
        ? { authenticated: false, error: "unknown or expired token" }
        : { authenticated: true, user };
    },
  },
  {
    group: "authentication.k8s.io",
    kind: "SelfSubjectReview",
    plural: "selfsubjectreviews",
    answer: (_state, { user }) => ({ userInfo: user }),
  },
  {
    group: "authorization.k8s.io",
    kind: "SelfSubjectAccessReview",
    plural: "selfsubjectaccessreviews",
    answer: () => ALLOWED,
  },
  { group: "authorization.k8s.io", kind: "SubjectAccessReview", plural: "subjectaccessreviews", answer: () => ALLOWED },
];

export function findReview({ group, version, plural }: ResourcePath): Review | undefined {
  return REVIEWS.find((review) => review.group === group && version === "v1" && review.plural === plural);
}

/** POST of a review. @throws ApiError */
export async function answerReview(state: ServerState, review: Review, request: ApiRequest): Promise<Answer> {
  if (request.method !== "POST") throw methodNotAllowed();
  const body = (await readObject(request.message)) ?? {};
  const spec = fieldsOf(body["spec"]);
  const { group, kind } = review;
  const metadata = { ...fieldsOf(body["metadata"]), creationTimestamp: null };
  const status = review.answer(state, request, spec);
  return json({ kind, apiVersion: `${group}/v1`, metadata, spec, status }, 201);
}

const SERVICE_ACCOUNTS = "/serviceaccounts";
const DEFAULT_SECONDS = 3600;
const MIN_SECONDS = 600;

/** POST to a ServiceAccount's `token`: a token that this server takes. @throws ApiError */
export async function requestToken(state: ServerState, path: ResourcePath, request: ApiRequest): Promise<Answer> {
  if (request.method !== "POST") throw methodNotAllowed();
  const account = state.store.get(SERVICE_ACCOUNTS, path);
  if (account === undefined) throw notFound({ group: "", kind: "serviceaccounts", name: path.name });
  const spec = fieldsOf((await readObject(request.message))?.["spec"]);
  const seconds = spec["expirationSeconds"] ?? DEFAULT_SECONDS;
  if (typeof seconds !== "number" || seconds < MIN_SECONDS) {
    const message = `Invalid value: ${String(seconds)}: may not specify a duration less than 10 minutes`;
    throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest", name: path.name }, [
      { reason: "FieldValueInvalid", message, field: "spec.expirationSeconds" },
    ]);
  }
  const { namespace, name } = path;
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
  const user = {
    username: `system:serviceaccount:${namespace}:${name}`,
    groups,
    uid: account.object.metadata.uid ?? "",
  };
  const { token, expiresAt } = state.authenticator.issue(user, seconds);
  const status = { token, expirationTimestamp: expiresAt.toISOString().replace(/\.\d+Z$/, "Z") };
  const metadata = { name, namespace, creationTimestamp: account.object.metadata.creationTimestamp };
  const kind = "TokenRequest";
  return json(
    { kind, apiVersion: "authentication.k8s.io/v1", metadata, spec: { ...spec, expirationSeconds: seconds }, status },
    201,
  );
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
