import type { Topic } from "./schedule.ts";

/** Which parked messages wait for what. Keys only: the messages themselves stay in the API server. */
export class WaitingRoom {
  readonly #byTopic = new Map<Topic, Set<string>>();
  readonly #byKey = new Map<string, Topic[]>();
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
    return this.#byTopic.get(topic)?.size ?? 0;
  }

  park(key: string, topics: Topic[]): void {
    this.leave(key);
    if (topics.length === 0) return;
    this.#byKey.set(key, topics);
    for (const topic of topics) {
      const keys = this.#byTopic.get(topic) ?? new Set();
      keys.add(key);
      this.#byTopic.set(topic, keys);
    }
  }

  leave(key: string): void {
    for (const topic of this.#byKey.get(key) ?? []) {
      const keys = this.#byTopic.get(topic);
      keys?.delete(key);
      if (keys?.size === 0) this.#byTopic.delete(topic);
    }
    this.#byKey.delete(key);
  }

  /** Takes out and returns every key that waits for `topic`, the longest waiting first. */
  callAll(topic: Topic): string[] {
    this.#calls += 1;
    this.#lastCalls.set(topic, this.#calls);
    const called = [...(this.#byTopic.get(topic) ?? [])];
    for (const key of called) this.leave(key);
    return called;
  }

  /** Takes out and returns the key that waits longest for `topic`. It goes ahead alone: for the others nothing has come. */
  takeFirst(topic: Topic): string | undefined {
    const [first] = this.#byTopic.get(topic) ?? [];
    if (first !== undefined) this.leave(first);
    return first;
  }
}
