/**
 * How errors cross between page and workers. Comlink copies only the message,
 * name and stack of what was thrown; with this handler a DuctusError arrives as
 * one, code and advice included, and anything else arrives as the house's
 * unforeseen fault. Both sides call it once, before the first call.
 */
import { transferHandlers, type TransferHandler } from "comlink";
import { deserializeError, serializeError, type SerializedError } from "../lib/core/errors";

/** What Comlink hands to its "throw" handler. */
interface Thrown {
  value: unknown;
}

/** Replaces Comlink's own handler for thrown values in this realm; calling it again changes nothing. */
export function registerTransferHandlers(): void {
  const comlinks = transferHandlers.get("throw");
  if (comlinks === undefined) return;
  const handler: TransferHandler<Thrown, SerializedError> = {
    // Only Comlink knows its mark of a thrown value.
    canHandle: (value): value is Thrown => comlinks.canHandle(value),
    serialize: ({ value }) => [serializeError(value), []],
    deserialize: (error) => {
      throw deserializeError(error);
    },
  };
  transferHandlers.set("throw", handler);
}
