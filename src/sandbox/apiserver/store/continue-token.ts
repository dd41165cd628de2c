import { badRequest } from "../protocol/api-error.ts";

/** Where the next page of a list begins: after the object with this storage key, in the state of this revision. */
export interface ContinueToken {
  /** -1: whatever the state is now, after the first one expired. */
  revision: number;
  after: string;
}

export function encodeContinue({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: after })).toString("base64url");
}

/** @throws ApiError 400 for anything that encodeContinue did not make */
export function decodeContinue(token: string): ContinueToken {
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, "base64url").toString()) as { rv: unknown; start: unknown };
    if (Number.isSafeInteger(rv) && typeof start === "string") return { revision: rv as number, after: start };
  } catch {
    // no JSON: told below
  }
  throw badRequest("invalid continue token: continue key is not valid");
}
