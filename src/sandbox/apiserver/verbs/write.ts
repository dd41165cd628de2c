import { negotiate } from "../protocol/accept.ts";
import type { Answer } from "../protocol/answer.ts";
import { badRequest, nameMismatch, notFound } from "../protocol/api-error.ts";
import { readObject } from "../protocol/body.ts";
import { subjectOf } from "../resources/resource.ts";
import { commitCreate, commitUpdate } from "./commit.ts";
import { decode } from "./decode.ts";
import { patch } from "./patch.ts";
import { answerObject } from "./read.ts";
import type { Call } from "./scope.ts";

/** POST to a collection. @throws ApiError */
export async function create(call: Call): Promise<Answer> {
  const representation = negotiate(call.request.headers.accept);
  const draft = decode(call, await bodyOf(call));
  return answerObject(call, commitCreate(call, draft), representation, 201);
}

/** PUT of an object or its status. @throws ApiError */
export async function replace(call: Call): Promise<Answer> {
  const representation = negotiate(call.request.headers.accept);
  const draft = decode(call, await bodyOf(call));
  const { state, resource, path } = call;
  const live = state.store.get(resource.collection, path);
  if (live !== undefined) return answerObject(call, commitUpdate(call, draft, live), representation);
  if (!resource.rules.createOnUpdate || path.subresource !== "") throw notFound(subjectOf(resource, path.name));
  if (draft.metadata.name !== path.name) throw nameMismatch(draft.metadata.name, path.name);
  return answerObject(call, commitCreate(call, draft), representation, 201);
}

/** PATCH of an object or its status. @throws ApiError */
export async function change(call: Call): Promise<Answer> {
  const representation = negotiate(call.request.headers.accept);
  const { stored, created } = await patch(call);
  return answerObject(call, stored, representation, created ? 201 : 200);
}

async function bodyOf({ request, resource }: Call): Promise<Record<string, unknown>> {
  const body = await readObject(request.message, resource.kind);
  if (body === undefined) throw badRequest(`the body of the request is empty: a ${resource.kind} is expected`);
  return body;
}
