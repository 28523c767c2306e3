/** Keeps the screen on while something long goes on. The browser drops the lock whenever the page is hidden, so it is asked for again. */
export function keepAwake(): () => void {
  let wanted = true;
  let held: WakeLockSentinel | null = null;
  const ask = async (): Promise<void> => {
    if (!wanted || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
      const lock = await navigator.wakeLock.request("screen");
      if (wanted) held = lock;
      else await lock.release();
    } catch {
      // Refused, as on a low battery: the run goes on, the screen may go dark.
    }
  };
  const onVisible = (): void => void ask();
  document.addEventListener("visibilitychange", onVisible);
  void ask();
  return () => {
    wanted = false;
    document.removeEventListener("visibilitychange", onVisible);
    void held?.release().catch(() => undefined);
  };
}
