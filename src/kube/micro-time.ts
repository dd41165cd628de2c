/** Now as metav1.MicroTime: `2026-11-22T10:00:00.000000Z`. */
export function microTime(): string {
  return new Date().toISOString().replace("Z", "000Z");
}
