import { isStale } from "./change.ts";

interface Question {
  changedAt: string;
  answer(wasMade: boolean): void;
}

/** What was made of one kind before a restart, while it is being read: what was found is known at once, the rest at the end. */
export class PastCreations {
  /** The version of the last creation. */
  readonly #createdAt = new Map<string, string>();
  readonly #questions = new Map<string, Question[]>();
  #isComplete = false;

  /** @param key the target and its maker */
  note(key: string, createdAt: string): void {
    this.#createdAt.set(key, createdAt);
    for (const { changedAt, answer } of this.#questions.get(key) ?? []) if (this.#wasMade(key, changedAt)) answer(true);
  }

  /** What was not found up to now was not made. */
  complete(): void {
    this.#isComplete = true;
    for (const { answer } of [...this.#questions.values()].flat()) answer(false);
    this.#questions.clear();
  }

  /** Whether it was made after the change; a promise while that is not known. */
  includes(key: string, changedAt: string): boolean | Promise<boolean> {
    if (this.#isComplete || this.#wasMade(key, changedAt)) return this.#wasMade(key, changedAt);
    return new Promise((answer) => {
      this.#questions.set(key, [...(this.#questions.get(key) ?? []), { changedAt, answer }]);
    });
  }

  #wasMade(key: string, changedAt: string): boolean {
    const createdAt = this.#createdAt.get(key);
    return createdAt !== undefined && isStale(changedAt, createdAt);
  }
}
