/** `90 s`, `60 min`, `24 h`, `7 d`: the largest unit of which it is a whole number above one. */
export function formatDuration(ms: number): string {
  const units = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
  ] as const;
  const [size, unit] = units.find(([size]) => ms % size === 0 && ms > size) ?? [1000, "s"];
  return `${Math.round(ms / size)} ${unit}`;
}
