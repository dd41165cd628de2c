import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after } from "node:test";
import { Agent, request } from "undici";
import { target } from "./target.ts";

/** An answer may be any JSON, and these tests are what says what it should be: it has the type that parsing gives it. */
export type Body = ReturnType<typeof JSON.parse>;

export interface Answer {
  code: number;
  body: Body;
  headers: Record<string, string | string[] | undefined>;
}

export interface CallOptions {
  /** Sent as JSON unless it is a string or a stream. */
  body?: unknown;
  type?: string;
  accept?: string;
  /** In place of the kubeconfig's own; null sends none. */
  token?: string | null;
}

export const JSON_PATCH = "application/json-patch+json";
export const MERGE_PATCH = "application/merge-patch+json";
export const STRATEGIC_PATCH = "application/strategic-merge-patch+json";
export const APPLY_PATCH = "application/apply-patch+yaml";

/** `null` certificates stay away, so that a call without a token is one without any credentials. */
const agents = [target.certificate, undefined].map(
  (certificate) => new Agent({ connect: { ...(target.ca === undefined ? {} : { ca: target.ca }), ...certificate } }),
);
const [agent, bareAgent] = agents;
after(async () => {
  await Promise.all(agents.map((one) => one.destroy()));
});

function headersOf({ body, type, accept = "application/json", token }: CallOptions): Record<string, string> {
  const bearer = token === undefined ? target.token : token;
  return {
    accept,
    "user-agent": "courier-conformance/1",
    ...(body === undefined ? {} : { "content-type": type ?? "application/json" }),
    ...(bearer === undefined || bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
  };
}

/** One request; the answer's body is parsed where it is JSON. */
export async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const { body, token } = options;
  const answer = await request(target.server + path, {
    method,
    headers: headersOf(options),
    dispatcher: token === undefined ? agent : bareAgent,
    ...(body === undefined
      ? {}
      : { body: typeof body === "string" || body instanceof Readable ? body : JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  return { code: answer.statusCode, body: parseJson(text), headers: answer.headers };
}

function parseJson(text: string): Body {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** One request that must succeed; returns the answer's body. */
export async function ok(method: string, path: string, options: CallOptions = {}): Promise<Body> {
  const { code, body } = await call(method, path, options);
  assert.ok(code < 300, `${method} ${path}: ${code} ${JSON.stringify(body)}`);
  return body;
}

export const get = (path: string) => ok("GET", path);
export const create = (path: string, body: unknown) => ok("POST", path, { body });
export const patch = (path: string, type: string, body: unknown) => ok("PATCH", path, { type, body });
export const remove = (path: string) => ok("DELETE", path);

export interface Refusal {
  code: number;
  reason?: string;
  message?: string | RegExp;
  /** `field reason message`, in any order. */
  causes?: string[];
}

/** Asserts that the answer is a Status of this code, reason and wording. List indexes that old servers leave out are optional. */
export function assertRefused({ code, body }: Answer, expected: Refusal): void {
  const { reason, message, causes } = expected;
  const shown = JSON.stringify(body);
  assert.equal(code, expected.code, shown);
  assert.equal(body.kind, "Status", shown);
  assert.equal(body.apiVersion, "v1");
  assert.equal(body.status, "Failure");
  assert.equal(body.code, expected.code);
  if (reason !== undefined) assert.equal(body.reason, reason);
  if (message instanceof RegExp) assert.match(body.message, message);
  else if (message !== undefined) assert.equal(withoutIndexes(body.message), withoutIndexes(message));
  if (causes !== undefined) assert.deepEqual(listCauses(body), causes.map(withoutIndexes).sort());
}

interface Cause {
  field?: string;
  reason?: string;
  message?: string;
}

function listCauses(body: Body): string[] {
  const causes: Cause[] = body.details?.causes ?? [];
  const texts = causes.map((cause) => [cause.field, cause.reason, cause.message].filter(Boolean).join(" "));
  return [...new Set(texts.map(withoutIndexes))].sort(); // kube-apiserver 1.20 says some causes twice
}

/** kube-apiserver 1.20 names the list where later ones name its entry (`spec.list[0]`). */
const withoutIndexes = (text: string): string => text.replaceAll(/\[\d+\]/g, "");

/** Makes one request and asserts that it is refused as expected. */
export async function refused(method: string, path: string, options: CallOptions, expected: Refusal): Promise<void> {
  assertRefused(await call(method, path, options), expected);
}

export interface WatchLine {
  type: string;
  object: Body;
}

export interface Watching {
  next: () => Promise<WatchLine | undefined>;
  close: () => void;
}

/** Opens a watch. `next` awaits its next event, and gives undefined once the server has ended it. */
export async function watch(path: string, accept = "application/json"): Promise<Watching> {
  const controller = new AbortController();
  const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(20_000)]);
  const answer = await request(target.server + path, { headers: headersOf({ accept }), dispatcher: agent, signal });
  assert.equal(answer.statusCode, 200);
  const lines = readLines(answer.body);
  return {
    next: async () => (await lines.next()).value ?? undefined,
    close: () => controller.abort(),
  };
}

async function* readLines(body: AsyncIterable<Buffer>): AsyncGenerator<WatchLine, undefined> {
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield JSON.parse(line) as WatchLine;
  }
  return undefined;
}
