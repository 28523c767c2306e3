/**
 * Work of seconds lets others in between, so that a worker hears that it is to
 * stop, and the command line its signals. Timers wait four milliseconds each in
 * a browser: it pauses by the clock, not at every chance.
 */
const TURN_MS = 30;

/** @returns to be awaited wherever work can pause; @throws the signal's reason */
export function createPause(signal: AbortSignal): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      since = performance.now();
    }
    signal.throwIfAborted();
  };
}
