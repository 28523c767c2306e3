/** How many threads the processor path uses: in a file of its own, so that the page can say it without loading the runtime. */

/**
 * All of few cores; half of many, which are mostly two hyperthreads to a core.
 * One where the page is not cross-origin isolated.
 */
export function defaultThreads(): number {
  if (!globalThis.crossOriginIsolated) return 1;
  const cores = navigator.hardwareConcurrency || 1;
  return cores <= 4 ? cores : Math.min(8, Math.ceil(cores / 2));
}
