/** One thing that is wrong in an object, where, and what to put there. */
export interface Problem {
  /** JSONPath-like, as kubectl prints it: `spec.notifications[0].receivers[2].destination`. */
  path: string;
  message: string;
}

export type Fields = Record<string, unknown>;

/** Whether `value` is a JSON object, not a list and not null. */
export function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own field of an untrusted object: nothing is ever read from a prototype. */
export function field(object: Fields, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** The JSON type of `value` in words: "a string", "a list", "null". */
export function describeType(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value === "bigint" ? "number" : typeof value}`;
}

/** Reads typed fields out of an untrusted object and collects what is wrong instead of throwing. */
export class FieldReader {
  readonly problems: Problem[] = [];

  /** The text at `path.name`; undefined where it is absent, null or (reported) of another type. */
  text(object: Fields, path: string, name: string): string | undefined {
    const value = field(object, name);
    if (value === undefined || value === null || typeof value === "string") return value ?? undefined;
    this.#wrongType(`${path}.${name}`, "a string", value);
    return undefined;
  }

  /** The list at `path.name`; empty where it is absent, null or (reported) of another type. */
  list(object: Fields, path: string, name: string): unknown[] {
    const value = field(object, name);
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    this.#wrongType(`${path}.${name}`, "a list", value);
    return [];
  }

  /** The strings of the list at `path.name`; items of another type are reported with their index. */
  texts(object: Fields, path: string, name: string): string[] {
    return this.list(object, path, name).flatMap((item, index) => {
      if (typeof item === "string") return [item];
      this.#wrongType(`${path}.${name}[${index}]`, "a string", item);
      return [];
    });
  }

  /** The object at `path.name`; undefined where it is absent, null or (reported) of another type. */
  object(object: Fields, path: string, name: string): Fields | undefined {
    const value = field(object, name);
    if (value === undefined || value === null) return undefined;
    if (isObject(value)) return value;
    this.#wrongType(`${path}.${name}`, "an object", value);
    return undefined;
  }

  #wrongType(path: string, wanted: string, value: unknown): void {
    this.problems.push({ path, message: `must be ${wanted} and is ${describeType(value)}` });
  }
}

/** `path message`, the form in which problems are shown to people. */
export function formatProblem({ path, message }: Problem): string {
  return `${path} ${message}`;
}
