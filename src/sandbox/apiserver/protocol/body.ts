import type { IncomingMessage } from "node:http";
import { parse as parseYaml } from "yaml";
import { decodeObject } from "../protobuf/decode.ts";
import { type ApiError, badRequest, tooLarge, unsupportedMediaType } from "./api-error.ts";

/** What kube-apiserver takes. */
export const BODY_LIMIT_BYTES = 3 * 1024 * 1024;

/** How much of a body that is too large is still taken in. */
const DRAIN_LIMIT_BYTES = 64 * 1024 * 1024;

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const OBJECT_TYPES = ["application/json", "application/yaml", PROTOBUF];

/** The media type of a request's body, lower case, without parameters; "" when none is given. */
export function mediaType(message: IncomingMessage): string {
  return (message.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** Reads the whole body. @throws ApiError 413 beyond the limit, without reading on */
export async function readText(message: IncomingMessage): Promise<string> {
  return (await readBytes(message)).toString("utf8");
}

async function readBytes(message: IncomingMessage): Promise<Buffer> {
  if (Number(message.headers["content-length"] ?? 0) > BODY_LIMIT_BYTES) throw tooLarge(BODY_LIMIT_BYTES);
  const chunks: Buffer[] = [];
  let bytes = 0;
  // A refused body must not take its connection down before the answer is written
  for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT_BYTES) throw tooLarge(BODY_LIMIT_BYTES);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Lets a client that is still sending come to the end of its body, which is thrown away: most read no answer before.
 * Resolves at that end, when the client is gone, or when even throwing away has its limit.
 */
export function drain(message: IncomingMessage): Promise<void> {
  if (message.readableEnded || message.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let bytes = 0;
    message.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > DRAIN_LIMIT_BYTES) resolve();
    });
    message.once("close", resolve).once("end", resolve).resume();
  });
}

/** Reads an object in JSON, YAML or protobuf, or undefined when the body is empty. @throws ApiError 400, 413, 415 */
export async function readObject(
  message: IncomingMessage,
  kind = "a served kind",
): Promise<Record<string, unknown> | undefined> {
  const type = mediaType(message);
  const bytes = await readBytes(message);
  if (bytes.length === 0) return undefined;
  if (type !== "" && type !== "*/*" && !OBJECT_TYPES.includes(type)) throw unsupportedMediaType(OBJECT_TYPES);
  if (type === PROTOBUF) return protobufObject(bytes);
  const text = bytes.toString("utf8");
  const value = type === "application/yaml" ? yamlValue(text) : jsonValue(text, kind);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw unrecognised("not an object", kind);
  }
  return value as Record<string, unknown>;
}

/** @throws ApiError 400 */
function protobufObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    return decodeObject(bytes);
  } catch (error) {
    throw unrecognised(reasonOf(error));
  }
}

/** @throws ApiError 400 */
export function jsonValue(text: string, kind?: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unrecognised(`couldn't get version/kind; json parse error: ${reasonOf(error)}`, kind);
  }
}

/** @throws ApiError 400 */
export function yamlValue(text: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: ${reasonOf(error).split("\n", 1)[0]}`);
  }
}

function unrecognised(why: string, kind = "a served kind"): ApiError {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why}`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
