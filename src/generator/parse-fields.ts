import { describeType, type FieldReader, type Fields } from "../resources/fields.ts";

/** Reports every field of `object` that is not in `known`: a field this generator does not know must not be passed over. */
export function refuseUnknown(object: Fields, path: string, known: readonly string[], reader: FieldReader): void {
  for (const name of Object.keys(object))
    if (!known.includes(name))
      reader.problems.push({ path: `${path}.${name}`, message: "is not supported by courier's generator, remove it" });
}

/** Reports the fields of `object` that are refused for a reason of their own. @param refused reasons by field */
export function refuseKnown(object: Fields, path: string, refused: Record<string, string>, reader: FieldReader): void {
  for (const [name, message] of Object.entries(refused))
    if (object[name] !== undefined) reader.problems.push({ path: `${path}.${name}`, message });
}

/** A map of texts at `path.name`; empty where it is absent. */
export function textMap(object: Fields, path: string, name: string, reader: FieldReader): Record<string, string> {
  const map = reader.object(object, path, name) ?? {};
  return Object.fromEntries(
    Object.entries(map).filter((entry): entry is [string, string] => {
      if (typeof entry[1] === "string") return true;
      const message = `must be a string and is ${describeType(entry[1])}`;
      reader.problems.push({ path: `${path}.${name}.${entry[0]}`, message });
      return false;
    }),
  );
}

/** The boolean at `path.name`; `fallback` where it is absent. */
export function flag(object: Fields, path: string, name: string, fallback: boolean, reader: FieldReader): boolean {
  const value = object[name];
  if (value === undefined || value === null) return fallback;
  if (typeof value === "boolean") return value;
  reader.problems.push({ path: `${path}.${name}`, message: `must be true or false and is ${describeType(value)}` });
  return fallback;
}
