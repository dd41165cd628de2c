/** A signal of its own for a piece of work. Disposing of it ends the timer and leaves nothing behind on `outer`. */
export interface LimitedSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Aborts when `outer` does and with its reason, and after `ms` with what `reason` makes.
 *
 * Not AbortSignal.any and .timeout: those leave a timer and a signal behind for each piece of work, for minutes. And work in
 * steps listens to its own signal, since on one that all share each listener is compared with all others.
 */
export function limitedSignal(
  outer: AbortSignal | undefined,
  ms: number = Number.POSITIVE_INFINITY,
  reason?: () => unknown,
): LimitedSignal {
  const controller = new AbortController();
  const abort = () => controller.abort(outer?.reason);
  if (outer?.aborted) abort();
  outer?.addEventListener("abort", abort, { once: true });
  const timer = Number.isFinite(ms) ? setTimeout(() => controller.abort(reason?.()), ms) : undefined;
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", abort);
    },
  };
}
