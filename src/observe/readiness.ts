/** What has to be well before a process is ready, each part with the reason why it is not. */
export class Readiness {
  readonly #missing = new Map<string, string>();
  readonly #notes = new Map<string, string>();
  #complete = Promise.withResolvers<void>();

  /** Says that `part` is not ready, and why. */
  lack(part: string, why: string): void {
    this.#missing.set(part, why);
  }

  /** Says that `part` is well. */
  have(part: string): void {
    this.#missing.delete(part);
    if (this.#missing.size > 0) return;
    this.#complete.resolve();
    this.#complete = Promise.withResolvers<void>();
  }

  /** Says what a person should know of a `part` that keeps nobody from being ready. Returns what was said before. */
  note(part: string, why: string | undefined): string | undefined {
    const before = this.#notes.get(part);
    if (why === undefined) this.#notes.delete(part);
    else this.#notes.set(part, why);
    return before;
  }

  /** One line for each note. */
  notes(): string[] {
    return [...this.#notes].map(([part, why]) => `${part}: ${why}`);
  }

  /** One line for each part that is missing; empty when all is well. */
  missing(): string[] {
    return [...this.#missing].map(([part, why]) => `${part}: ${why}`);
  }

  /** Resolves when nothing is missing. */
  async ready(): Promise<void> {
    while (this.#missing.size > 0) await this.#complete.promise;
  }
}
