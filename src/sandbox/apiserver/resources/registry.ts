import type { Resource } from "./resource.ts";

/** What is served at the moment: the built-in kinds, and the custom ones as their definitions come and go. */
export class Registry {
  readonly #resources = new Map<string, Resource>();
  readonly #preferred = new Map<string, string[]>();
  #generation = 0;

  /** Grows with each change; what is derived from the registry is made anew when it differs. */
  get generation(): number {
    return this.#generation;
  }

  add(resource: Resource): void {
    this.#generation += 1;
    this.#resources.set(pathOf(resource), resource);
    const versions = this.#preferred.get(resource.group) ?? [];
    if (!versions.includes(resource.version)) versions.push(resource.version);
    this.#preferred.set(resource.group, versions.sort(byVersionPriority));
  }

  /** Drops every version of what `collection` holds. */
  removeCollection(collection: string): void {
    this.#generation += 1;
    for (const [path, resource] of this.#resources) {
      if (resource.collection === collection) this.#resources.delete(path);
    }
    const all = this.all();
    for (const [group, versions] of this.#preferred) {
      const left = versions.filter((version) => all.some((one) => one.group === group && one.version === version));
      if (left.length === 0) this.#preferred.delete(group);
      else this.#preferred.set(group, left);
    }
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#resources.get(pathOf({ group, version, plural }));
  }

  /** Every served resource, in the order in which they were added. */
  all(): Resource[] {
    return [...this.#resources.values()];
  }

  inGroupVersion(group: string, version: string): Resource[] {
    return this.all().filter((resource) => resource.group === group && resource.version === version);
  }

  /** Each group with its versions, the preferred one first. The core group, "", is among them. */
  groups(): { name: string; versions: readonly string[] }[] {
    return [...this.#preferred].map(([name, versions]) => ({ name, versions }));
  }
}

function pathOf({ group, version, plural }: Pick<Resource, "group" | "version" | "plural">): string {
  return `${group}/${version}/${plural}`;
}

/** Kubernetes' order of versions: GA before beta before alpha, higher numbers first, anything else last by name. */
export function byVersionPriority(a: string, b: string): number {
  const [left, right] = [versionRank(a), versionRank(b)];
  for (let index = 0; index < left.length; index++) {
    const difference = (right[index] ?? 0) - (left[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** [stability, major, minor], larger is preferred; v2beta1 is [2, 2, 1]. */
function versionRank(version: string): number[] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return [0, 0, 0];
  const [, major, stability, minor] = match;
  const rank = stability === undefined ? 3 : stability === "beta" ? 2 : 1;
  return [rank, Number(major), Number(minor ?? 0)];
}
