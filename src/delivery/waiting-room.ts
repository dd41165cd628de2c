import type { Topic } from "./schedule.ts";

/** Those who wait for one topic, the longest waiting first. */
interface Line {
  topic: Topic;
  keys: Set<string>;
}

/** Which parked messages wait for what. Keys only: the messages themselves stay in the API server. */
export class WaitingRoom {
  readonly #lines = new Map<Topic, Line>();
  /** Nearly all wait for one thing, and a list for each would be a tenth of what a waiting message takes. */
  readonly #byKey = new Map<string, Line | Line[]>();
  readonly #lastCalls = new Map<Topic, number>();
  #calls = 0;

  /** How often anything was called so far: a point in time for {@link WaitingRoom.calledSince}. */
  get calls(): number {
    return this.#calls;
  }

  /** Whether `topic` was called after the point in time `calls`. */
  calledSince(topic: Topic, calls: number): boolean {
    return (this.#lastCalls.get(topic) ?? 0) > calls;
  }

  /** Messages that wait for `topic`. */
  count(topic: Topic): number {
    return this.#lines.get(topic)?.keys.size ?? 0;
  }

  park(key: string, topics: Topic[]): void {
    this.leave(key);
    const lines = topics.map((topic) => this.#lineFor(topic));
    const [first, ...others] = lines;
    if (first === undefined) return;
    this.#byKey.set(key, others.length === 0 ? first : lines);
    for (const { keys } of lines) keys.add(key);
  }

  leave(key: string): void {
    const waited = this.#byKey.get(key);
    if (waited === undefined) return;
    for (const { topic, keys } of Array.isArray(waited) ? waited : [waited]) {
      keys.delete(key);
      if (keys.size === 0) this.#lines.delete(topic);
    }
    this.#byKey.delete(key);
  }

  /** Takes out and returns every key that waits for `topic`, the longest waiting first. */
  callAll(topic: Topic): string[] {
    this.#calls += 1;
    this.#lastCalls.set(topic, this.#calls);
    const called = [...(this.#lines.get(topic)?.keys ?? [])];
    for (const key of called) this.leave(key);
    return called;
  }

  /** Takes out and returns the key that waits longest for `topic`. It goes ahead alone: for the others nothing has come. */
  takeFirst(topic: Topic): string | undefined {
    const [first] = this.#lines.get(topic)?.keys ?? [];
    if (first !== undefined) this.leave(first);
    return first;
  }

  #lineFor(topic: Topic): Line {
    const known = this.#lines.get(topic);
    if (known !== undefined) return known;
    const line = { topic, keys: new Set<string>() };
    this.#lines.set(topic, line);
    return line;
  }
}
