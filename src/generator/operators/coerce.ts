import type { Json } from "../../resources/object.ts";
import { parseDuration, SECOND } from "../duration.ts";

/** A text that Go's ParseFloat takes for a finite number; undefined otherwise. */
export function parseNumber(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** Both sides in nanoseconds where at least one is a duration text and the other is one too, or a number of seconds. */
export function bothDurations(key: Json, value: Json): [bigint, bigint] | undefined {
  const [left, right] = [durationText(key), durationText(value)];
  if (left === undefined && right === undefined) return undefined;
  const first = left ?? secondsOf(key);
  const second = right ?? secondsOf(value);
  return first === undefined || second === undefined ? undefined : [first, second];
}

/** "0" is a duration in Go, but here it may as well be a number. */
function durationText(value: Json): bigint | undefined {
  return typeof value === "string" && value !== "0" ? parseDuration(value) : undefined;
}

/** A number as seconds, its fraction dropped, in nanoseconds. */
export function secondsOf(value: Json): bigint | undefined {
  return typeof value === "number" && Number.isFinite(value) ? BigInt(Math.trunc(value)) * SECOND : undefined;
}
