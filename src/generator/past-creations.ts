import { isStale } from "./change.ts";

interface Question {
  changedAt: string;
  answer(wasMade: boolean): void;
}

/** Questions about what was made of one kind before a restart, while it is being read: what is found is answered at once, the rest at the end. */
export class PastCreations {
  readonly #questions = new Map<string, Question[]>();
  #isComplete = false;

  /** @param key the target and its maker */
  note(key: string, createdAt: string): void {
    for (const { changedAt, answer } of this.#questions.get(key) ?? []) if (isStale(changedAt, createdAt)) answer(true);
  }

  /** What was not found up to now was not made. */
  complete(): void {
    this.#isComplete = true;
    for (const { answer } of [...this.#questions.values()].flat()) answer(false);
    this.#questions.clear();
  }

  /** Whether what was not found yet will be found as made after the change; a promise while that is not known. */
  find(key: string, changedAt: string): boolean | Promise<boolean> {
    if (this.#isComplete) return false;
    return new Promise((answer) => {
      this.#questions.set(key, [...(this.#questions.get(key) ?? []), { changedAt, answer }]);
    });
  }
}
