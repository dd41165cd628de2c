/** What has to be well before a process is ready, each part with the reason why it is not. */
export class Readiness {
  readonly #missing = new Map<string, string>();
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

  /** One line for each part that is missing; empty when all is well. */
  missing(): string[] {
    return [...this.#missing].map(([part, why]) => `${part}: ${why}`);
  }

  /** Resolves when nothing is missing. */
  async ready(): Promise<void> {
    while (this.#missing.size > 0) await this.#complete.promise;
  }
}
