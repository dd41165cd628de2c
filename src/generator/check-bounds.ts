import type { FieldReader } from "../resources/fields.ts";
import type { Policy, Rule } from "./rule-model.ts";

/**
 * Reports where a namespaced Policy says in plain text that it reads or makes something outside its namespace. What only an
 * expression gives is checked for each change.
 */
export function checkBounds({ kind, namespace }: Pick<Policy, "kind" | "namespace">, rule: Rule, reader: FieldReader) {
  if (kind !== "Policy") return;
  const check = (path: string, given: string, advice: string) => {
    if (given === namespace || given.includes("{{")) return;
    const found = given === "" ? "is missing" : `is "${given}"`;
    reader.problems.push({ path, message: `${found} and a Policy ${advice} only in its own namespace "${namespace}"` });
  };
  for (const { path, namespace: target, content } of rule.generate) {
    check(`${path}.namespace`, target, "generates");
    if (content.type !== "data") check(`${path}.${content.type}.namespace`, content.namespace, "copies");
  }
  const contexts = [rule, ...rule.generate.flatMap(({ each }) => each ?? [])].flatMap(({ context }) => context);
  for (const entry of contexts) {
    if (entry.type === "configMap") check(`${entry.path}.namespace`, entry.namespace || namespace, "reads");
    if (entry.type !== "apiCall" || entry.urlPath.includes("{{")) continue;
    if (!entry.urlPath.includes(`/namespaces/${namespace}/`))
      reader.problems.push({
        path: `${entry.path}.urlPath`,
        message: `is "${entry.urlPath}" and a Policy calls only paths below /namespaces/${namespace}/`,
      });
  }
}
