import type { ServerResponse } from "node:http";
import { stringify as stringifyYaml } from "yaml";

/** A finished answer: status code and body, either already JSON or a value to become it. */
export interface Answer {
  code: number;
  body: { json: string } | { value: unknown } | { text: string; type: string } | { bytes: Uint8Array; type: string };
  encoding?: "json" | "yaml";
}

export function json(value: unknown, code = 200): Answer {
  return { code, body: { value } };
}

export function text(body: string, code = 200): Answer {
  return { code, body: { text: body, type: "text/plain; charset=utf-8" } };
}

/** Writes an answer with its warnings (RFC 7234's code 299, as kubectl prints them). */
export function send(response: ServerResponse, { code, body, encoding }: Answer, warnings: readonly string[]): void {
  const [content, type] = encode(body, encoding);
  if (warnings.length > 0) response.setHeader("warning", warnings.map(warningHeader));
  response.writeHead(code, {
    "content-type": type,
    "content-length": Buffer.byteLength(content),
    "cache-control": "no-cache, private",
  });
  response.end(content);
}

function encode(body: Answer["body"], encoding: Answer["encoding"]): [string | Uint8Array, string] {
  if ("bytes" in body) return [body.bytes, body.type];
  if ("text" in body) return [body.text, body.type];
  if (encoding === "yaml") {
    return [stringifyYaml("json" in body ? JSON.parse(body.json) : body.value), "application/yaml"];
  }
  return ["json" in body ? body.json : JSON.stringify(body.value), "application/json"];
}

function warningHeader(warning: string): string {
  // Header values are printable ASCII; the quoted-string form escapes the rest.
  const printable = warning.replace(/[^\x20-\x7e]+/g, "?").slice(0, 1000);
  return `299 - "${printable.replace(/[\\"]/g, "\\$&")}"`;
}
