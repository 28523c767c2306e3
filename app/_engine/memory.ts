/**
 * How much memory the page takes with its workers, where the browser says so
 * (performance.measureUserAgentSpecificMemory, of isolated pages in Chromium).
 * Asked seldom: the answer waits for the browser's next clearing up.
 */
interface Measuring {
  measureUserAgentSpecificMemory?: () => Promise<{ bytes: number }>;
}

const EVERY_MS = 30_000;

/** @param onPeak told whenever more was seen than before. @returns what ends it */
export function watchMemory(onPeak: (bytes: number) => void): () => void {
  const { measureUserAgentSpecificMemory: measure } = performance as Performance & Measuring;
  if (measure === undefined || !globalThis.crossOriginIsolated) return () => undefined;
  let peak = 0;
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = async (): Promise<void> => {
    const { bytes } = await measure.call(performance).catch(() => ({ bytes: 0 }));
    if (over) return;
    if (bytes > peak) onPeak((peak = bytes));
    timer = setTimeout(() => void look(), EVERY_MS);
  };
  timer = setTimeout(() => void look(), EVERY_MS / 3);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
