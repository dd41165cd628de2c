import type { IncomingMessage } from "node:http";
import type { User } from "../auth.ts";

/** What a path below `/api` or `/apis` names. `namespace`, `name` and `subresource` are "" where the path has none. */
export interface ResourcePath {
  group: string;
  version: string;
  plural: string;
  namespace: string;
  name: string;
  subresource: string;
}

/** One authenticated request. */
export interface ApiRequest {
  method: string;
  /** Decoded, without empty segments at the end. */
  segments: readonly string[];
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  user: User;
  message: IncomingMessage;
  /** Sent as `Warning` headers; verbs add to it. */
  warnings: string[];
  /** Aborts when the client goes away or the server closes. */
  signal: AbortSignal;
}

/** The segments of a URL's path, percent-decoded; undefined when an escape is broken. */
export function pathSegments(pathname: string): string[] | undefined {
  try {
    return pathname.split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

/** Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`; undefined for any other path, discovery's included. */
export function parseResourcePath(segments: readonly string[]): ResourcePath | undefined {
  const core = segments[0] === "api";
  if (!core && segments[0] !== "apis") return undefined;
  const [group = "", version = "", ...rest] = core ? ["", ...segments.slice(1)] : segments.slice(1);
  const [first, second, third] = rest;
  if (version === "" || first === undefined) return undefined;
  const inNamespace =
    first === "namespaces" && third !== undefined && !isNamespaceSubresource(group, third, rest.length);
  const namespace = inNamespace ? (second ?? "") : "";
  const [plural = "", name = "", subresource = "", ...more] = inNamespace ? rest.slice(2) : rest;
  if (more.length > 0) return undefined;
  return { group, version, plural, namespace, name, subresource };
}

/** `/api/v1/namespaces/x/status` is about the namespace, not about something in it. */
function isNamespaceSubresource(group: string, segment: string, length: number): boolean {
  return group === "" && length === 3 && (segment === "status" || segment === "finalize");
}

/** A query parameter's flag as Go reads it: `1` and `true` are true. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value === "true" || value === "1" || value === "True";
}

/** A query parameter's whole number; undefined when absent, malformed or negative. */
export function count(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  return value !== null && /^\d{1,12}$/.test(value) ? Number(value) : undefined;
}
