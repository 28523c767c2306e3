/**
 * Carries an import to its end, whatever its files do to the worker: a file that
 * holds it fast, or takes its memory, is given up, and a fresh worker goes on
 * with the next one. Knows no worker, only how to ask one and how to end it.
 */
import { DuctusError, serializeError } from "../../lib/core/errors";
import { tidyFileName } from "../../lib/data/documents";
import type { ImporterEvent, ImportRequest, ImportResult } from "../../workers/importer-protocol";

export interface ImportLimits {
  /** Of a worker that hears and says nothing: a reader that cannot be interrupted. */
  silentMs: number;
  /** For a file, or a file in an archive. */
  fileMs: number;
  /** Both are looked at so often. Counted in looks, so that a device that sleeps costs no file. */
  lookEveryMs: number;
}

const LIMITS: ImportLimits = { silentMs: 90_000, fileMs: 600_000, lookEveryMs: 5000 };

export interface ImportWorker {
  take(request: ImportRequest, onEvent: (event: ImporterEvent) => void): Promise<ImportResult>;
  /** The call that is open fails. */
  end(): void;
}

/** @throws what the worker's call throws where no file is to blame */
export async function importAll(worker: ImportWorker, request: ImportRequest, onEvent: (event: ImporterEvent) => void, limits: ImportLimits = LIMITS): Promise<ImportResult> {
  let { handId } = request;
  let next = 0, before = 0;
  for (;;) {
    // Of this worker: the file in its hands, and what it has stored.
    let index = -1, item = "", stored = 0, isLooking = false;
    let silentLooks = 0, itemLooks = 0, isLate = false;
    const timer = setInterval(() => {
      silentLooks++;
      itemLooks++;
      isLate = silentLooks * limits.lookEveryMs > limits.silentMs || (!isLooking && index >= 0 && itemLooks * limits.lookEveryMs > limits.fileMs);
      if (isLate) worker.end();
    }, limits.lookEveryMs);
    const hear = (event: ImporterEvent): void => {
      silentLooks = 0;
      if (event.type === "file") {
        index = event.index;
        itemLooks = 0;
        onEvent({ type: "file", index: next + index });
        return;
      }
      if (event.type === "progress") {
        isLooking = event.progress.phase === "looking";
        if (event.progress.name !== item) itemLooks = 0;
        item = event.progress.name;
        onEvent({ type: "progress", progress: { ...event.progress, filesDone: next + event.progress.filesDone, files: request.files.length, pieces: before + event.progress.pieces } });
        return;
      }
      if (event.type === "stored") {
        ({ handId, pieces: stored } = event);
        onEvent({ ...event, pieces: before + stored });
        return;
      }
      onEvent(event);
    };
    try {
      const { pasted, ...rest } = request;
      const first = next === 0 && pasted !== undefined ? { pasted } : {};
      const result = await worker.take({ ...rest, ...first, handId, files: request.files.slice(next), ...(before > 0 ? { look: true } : {}) }, hear);
      return { ...result, handId: result.handId ?? handId, added: before + result.added };
    } catch (error) {
      const died = error instanceof DuctusError && error.code === "app/worker-died";
      if (index < 0 || !(isLate || died)) throw error;
      before += stored;
      if (isLooking) return { handId, added: before, stopped: false, error: null, unlooked: serializeError(isLate ? tooLong("A piece of this writing") : error) };
      const name = tidyFileName(request.files[next + index]?.path ?? "");
      onEvent({ type: "said", leftOut: [], unwrapped: [], faults: [{ name, error: givenUp(name, item, isLate).serialize() }] });
      next += index + 1;
    } finally {
      clearInterval(timer);
    }
  }
}

const tooLong = (what: string): DuctusError => new DuctusError("file/too-large", `${what} took too long to read, and was given up.`, "Leave it out, or make it smaller.");

/** @param item what was being read: the file itself, or a file in it */
function givenUp(name: string, item: string, isLate: boolean): DuctusError {
  const inside = item !== "" && tidyFileName(item) !== name;
  const what = inside ? `“${tidyFileName(item)}” in “${name}”` : `“${name}”`;
  const rest = inside ? " What comes after it in the archive was not read." : "";
  return isLate
    ? new DuctusError("file/too-large", `${what} took too long to read, and was given up.${rest}`, inside ? "Unpack the archive, and drop in the other files." : "Save it as plain text (.txt), and drop that in.")
    : new DuctusError("file/too-large", `${what} needs more memory to be read than there is.${rest}`, inside ? "Unpack the archive, and drop in the other files." : "Choose a part of it, or save it as plain text (.txt).");
}
