/** What has to be well before a process is ready, each part with the reason why it is not. */
export class Readiness {
  readonly #missing = new Map<string, string>();

  /** Says that `part` is not ready, and why. */
  lack(part: string, why: string): void {
    this.#missing.set(part, why);
  }

  /** Says that `part` is well. */
  have(part: string): void {
    this.#missing.delete(part);
  }

  /** One line for each part that is missing; empty when all is well. */
  missing(): string[] {
    return [...this.#missing].map(([part, why]) => `${part}: ${why}`);
  }
}
