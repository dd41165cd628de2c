/** One entry of a list of objects whose changes are to be left alone. Its parts are globs; `kind` as in a policy's match. */
export interface ResourceFilterEntry {
  /** As it was written: `[Event,*,*]`. */
  text: string;
  kind: string;
  namespace: string;
  name: string;
}

/** What Kyverno leaves alone where nobody says otherwise, as far as a watch could see it. */
export const DEFAULT_RESOURCE_FILTERS =
  "[*/*,kube-system,*] [*/*,kube-public,*] [*/*,kube-node-lease,*] [*/*,kyverno,*] [Event,*,*] [Node,*,*] " +
  "[APIService,*,*] [ReplicaSet,*,*] [Binding,*,*] [TokenReview,*,*] [*SubjectAccessReview,*,*] [SelfSubjectRulesReview,*,*]";

/**
 * Reads a list in the form of Kyverno's `resourceFilters`: `[Kind,namespace,name]` one after the other, blanks, commas and
 * new lines between them. What stands at the end of an entry may be left out and is `*` then. An empty text is an empty list.
 * @throws SyntaxError that names the entry and its column
 */
export function parseResourceFilters(text: string): ResourceFilterEntry[] {
  const entries: ResourceFilterEntry[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (/[\s,]/.test(text.charAt(at))) continue;
    const place = `entry ${entries.length + 1} at column ${at + 1}`;
    if (text.charAt(at) !== "[")
      throw new SyntaxError(`${place} begins with "${text.slice(at, at + 10)}": write it as [Kind,namespace,name]`);
    const end = text.indexOf("]", at);
    const next = text.indexOf("[", at + 1);
    if (end === -1 || (next !== -1 && next < end))
      throw new SyntaxError(`${place} has no closing "]": write it as [Kind,namespace,name]`);
    entries.push(parseEntry(text.slice(at, end + 1), place));
    at = end;
  }
  return entries;
}

function parseEntry(text: string, place: string): ResourceFilterEntry {
  const parts = text
    .slice(1, -1)
    .split(",")
    .map((part) => part.trim());
  const [kind = "", namespace = "*", name = "*"] = parts;
  if (parts.length > 3) throw new SyntaxError(`${place} is "${text}" and has ${parts.length} parts: there are three`);
  if (kind === "") throw new SyntaxError(`${place} is "${text}" and names no kind: write * for every kind`);
  return { text, kind, namespace, name };
}
