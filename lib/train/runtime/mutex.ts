/**
 * One lock around every create and run of the runtime in this realm: two
 * overlapping calls, even of different sessions, hang onnxruntime-web or corrupt
 * its heap. A failed call does not poison those behind it.
 */
let tail: Promise<unknown> = Promise.resolve();

export function exclusive<T>(task: () => Promise<T>): Promise<T> {
  const result = tail.then(task, task);
  tail = result.catch(() => undefined);
  return result;
}
