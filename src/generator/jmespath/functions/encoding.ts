import { createHash } from "node:crypto";
import { parse as parseYaml } from "yaml";
import type { Json } from "../../../resources/object.ts";
import { messageOf } from "../../errors.ts";
import { ExpressionError } from "../errors.ts";
import { define } from "./signature.ts";

/** Kyverno's functions that parse, encode and hash. */
export const ENCODING = {
  base64_decode: define<[string]>(["string"], ([text]) => {
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text.replace(/[\r\n]/g, "")))
      throw new ExpressionError("base64_decode() was given a text that is not base64");
    return Buffer.from(text, "base64").toString("utf8");
  }),
  base64_encode: define<[string]>(["string"], ([text]) => Buffer.from(text, "utf8").toString("base64")),
  md5: define<[string]>(["string"], ([text]) => hash("md5", text)),
  parse_json: define<[string]>(["string"], ([text]) => parseWith("parse_json", JSON.parse, text)),
  parse_yaml: define<[string]>(["string"], ([text]) =>
    parseWith("parse_yaml", (source) => parseYaml(source, { maxAliasCount: 100, schema: "core" }), text),
  ),
  sha1: define<[string]>(["string"], ([text]) => hash("sha1", text)),
  sha256: define<[string]>(["string"], ([text]) => hash("sha256", text)),
  to_boolean: define<[string]>(["string"], ([text]) => {
    const lower = text.toLowerCase();
    if (lower === "true" || lower === "false") return lower === "true";
    throw new ExpressionError(`to_boolean() takes "true" or "false" and was given "${text.slice(0, 40)}"`);
  }),
};

function hash(algorithm: string, text: string): string {
  return createHash(algorithm).update(text, "utf8").digest("hex");
}

function parseWith(name: string, parse: (text: string) => unknown, text: string): Json {
  try {
    return (parse(text) ?? null) as Json;
  } catch (error) {
    throw new ExpressionError(`${name}() cannot read its text: ${messageOf(error)}`);
  }
}
