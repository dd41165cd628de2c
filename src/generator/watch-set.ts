import { oldestVersion } from "./change.ts";
import type { WatchPosition } from "./known-source.ts";
import { overlaps, type Scope } from "./reach.ts";
import { type ScopedWatch, stopWatches, troubleOf } from "./scoped-watch.ts";

/**
 * The watches of one kind. A new one whose objects an old one has followed begins where that is, and takes its place as soon as the
 * API server has opened it: nothing falls between, and nothing is listed for it.
 */
export class WatchSet {
  readonly #open: (scope: Scope, after: string | undefined) => ScopedWatch;
  /** Where a process before this one was; undefined once watches of this one are there. */
  #known: readonly WatchPosition[] | undefined;
  #active: ScopedWatch[] = [];
  #retired: ScopedWatch[] = [];
  readonly #fresh: ScopedWatch[] = [];

  /** @param open makes a watch that begins after a version, or with a list where there is none */
  constructor(
    open: (scope: Scope, after: string | undefined) => ScopedWatch,
    known: readonly WatchPosition[] | undefined,
  ) {
    this.#open = open;
    this.#known = known;
  }

  /** Plans watches of these scopes, which do not overlap. */
  follow(scopes: readonly Scope[]): void {
    const running = [...this.#active, ...this.#retired].filter(({ stopped }) => !stopped);
    const known = new Map(running.map((watch) => [keyOf(watch.scope), watch]));
    this.#active = scopes.map((scope) => {
      const found = known.get(keyOf(scope));
      if (found !== undefined) return found;
      const watch = this.#open(scope, this.#startOf(scope, running));
      this.#fresh.push(watch);
      return watch;
    });
    const all = new Set([...running, ...this.#retired]);
    this.#retired = [...all].filter((watch) => !this.#active.includes(watch));
  }

  /** Opens the new watches. Apart from {@link follow}, since they may tell something before this returns. */
  start(): void {
    for (const watch of this.#fresh.splice(0)) watch.start();
    this.retire();
  }

  /** Ends the watches whose place others have taken. To be called when one is synced. */
  retire(): void {
    const isReplaced = ({ scope, synced }: ScopedWatch) =>
      !synced || this.#active.every((watch) => watch.synced || !overlaps(watch.scope, scope));
    for (const watch of this.#retired) if (isReplaced(watch)) watch.stop();
    this.#retired = this.#retired.filter(({ stopped, isHeld }) => !stopped || isHeld);
    if (this.isSynced()) this.#known = undefined;
  }

  /** The watches whose first list is not complete. */
  listing(): ScopedWatch[] {
    return this.#active.filter(({ synced, resumes }) => !synced && !resumes);
  }

  /** Whether every watch is synced that sees something of these scopes. */
  isSynced(scopes?: readonly Scope[]): boolean {
    const isAsked = ({ scope }: ScopedWatch) => scopes?.some((each) => overlaps(each, scope)) ?? true;
    return this.#active.every((watch) => watch.synced || !isAsked(watch));
  }

  get trouble(): string | undefined {
    return troubleOf(this.#active);
  }

  /** Up to where the changes of each scope are done; undefined while that is not known of all that rules look at. */
  positions(): WatchPosition[] | undefined {
    if (this.#known !== undefined || this.#retired.some(({ stopped, isHeld }) => stopped && isHeld)) return undefined;
    return [...this.#active, ...this.#retired].flatMap(({ scope, position = "" }) =>
      position === "" ? [] : [{ namespace: scope.namespace, name: scope.name ?? "", resourceVersion: position }],
    );
  }

  async stop(): Promise<void> {
    await stopWatches([...this.#active, ...this.#retired]);
  }

  /** The version from which on a watch of the scope sees all that no other has told; undefined where it has to list. */
  #startOf(scope: Scope, running: readonly ScopedWatch[]): string | undefined {
    const own = running.filter((watch) => overlaps(watch.scope, scope)).map(({ toldUpTo }) => toldUpTo);
    const known = this.#known?.filter((position) => overlaps(position, scope)) ?? [];
    return oldestVersion(
      [...own, ...known.map(({ resourceVersion }) => resourceVersion)].filter((each) => each !== undefined),
    );
  }
}

function keyOf({ namespace, name = "" }: { namespace: string; name?: string }): string {
  return `${namespace}/${name}`;
}
