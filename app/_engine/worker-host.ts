/**
 * Keeps one worker: starts it at its first call, fails its open calls when it
 * dies (Comlink would leave them waiting for ever), and starts a fresh one at the
 * next. Knows nothing of what the worker does.
 */
import { wrap, type Remote } from "comlink";
import { DuctusError } from "../../lib/core/errors";
import { registerTransferHandlers } from "../../workers/transfer";
import { hearWorker } from "./requests";

interface Living<Api> {
  worker: Worker;
  remote: Remote<Api>;
  /** Rejects when the worker dies; never resolves. */
  death: Promise<never>;
  kill: (error: DuctusError) => void;
}

export class WorkerHost<Api> {
  private living: Living<Api> | null = null;

  /** @param start makes the worker; its URL must stand there literally, or the bundler does not see it. */
  constructor(private readonly start: () => Worker) {}

  /** Loads the worker's script, so that a later call needs no network for it. */
  warm(): void {
    this.ensure();
  }

  /** @throws what the call throws, or DuctusError `app/worker-died`. */
  async call<T>(use: (remote: Remote<Api>) => Promise<T>): Promise<T> {
    const { remote, death } = this.ensure();
    return Promise.race([use(remote), death]);
  }

  /** Ends the worker, and with it the memory it holds: wasm's never shrinks. A call that is open fails. */
  end(): void {
    this.living?.kill(new DuctusError("app/worker-ended", "This was ended to make room in memory for something else.", "Try again once that is done."));
  }

  private ensure(): Living<Api> {
    if (this.living !== null) return this.living;
    registerTransferHandlers();
    const worker = this.start();
    hearWorker(worker);
    let kill: (error: DuctusError) => void = () => undefined;
    const death = new Promise<never>((_, reject) => {
      kill = (error) => {
        if (this.living?.worker === worker) this.living = null;
        worker.terminate();
        reject(error);
      };
    });
    death.catch(() => undefined); // no call may be open when it dies
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      kill(died(event.message || "The worker's script could not be loaded."));
    });
    worker.addEventListener("messageerror", () => kill(died("A message of the worker could not be read.")));
    this.living = { worker, remote: wrap<Api>(worker), death, kill };
    return this.living;
  }
}

function died(details: string): DuctusError {
  return new DuctusError(
    "app/worker-died",
    "The part of the page that works with the model stopped unexpectedly. Your writing and what was stored are safe.",
    "Try again; it starts afresh. If it happens again, close other tabs to free memory.",
    { details },
  );
}
