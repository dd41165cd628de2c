import { notAcceptable } from "./api-error.ts";

/** How a client wants an answer: encoding, and the objects whole, as a Table's rows, or reduced to their metadata. */
export interface Representation {
  encoding: "json" | "yaml";
  as: "object" | "table" | "metadata";
}

/** One entry of an Accept header. */
export interface MediaRange {
  type: string;
  parameters: Map<string, string>;
}

/** The entries of an Accept header as the client ordered them. */
export function parseAccept(accept: string): MediaRange[] {
  return accept.split(",").map((entry) => {
    const [type = "", ...rest] = entry.split(";").map((part) => part.trim());
    const pairs = rest.map((part): [string, string] => {
      const equals = part.indexOf("=");
      return [part.slice(0, equals), part.slice(equals + 1)];
    });
    return { type: type.toLowerCase(), parameters: new Map(pairs) };
  });
}

const ANY = new Set(["*/*", "application/*", ""]);

/** The first entry of the Accept header that can be served. @throws ApiError 406 when there is none */
export function negotiate(accept = "*/*"): Representation {
  for (const { type, parameters } of parseAccept(accept)) {
    const encoding =
      type === "application/json" || ANY.has(type) ? "json" : type === "application/yaml" ? "yaml" : undefined;
    const as = asOf(parameters.get("as"));
    if (encoding !== undefined && as !== undefined) return { encoding, as };
  }
  throw notAcceptable(["application/json", "application/yaml"]);
}

function asOf(name: string | undefined): Representation["as"] | undefined {
  if (name === undefined) return "object";
  if (name === "Table") return "table";
  return name === "PartialObjectMetadata" || name === "PartialObjectMetadataList" ? "metadata" : undefined;
}
