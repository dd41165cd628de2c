/** Removes empty maps and lists from where Go's JSON leaves them out. */
export function dropEmpty(target: Record<string, unknown>, fields: readonly string[]): void {
  for (const field of fields) {
    const value = target[field];
    if (typeof value === "object" && (value === null || Object.keys(value).length === 0)) delete target[field];
  }
}
