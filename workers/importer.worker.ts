/**
 * The importing worker: reads files into a hand, looks over its writing, and
 * shows what training examples it makes of it. One import at a time. A file that
 * holds it fast cannot be let go from within: the page ends the worker then.
 */
import { expose } from "comlink";
import { DuctusError } from "../lib/core/errors";
import { takeIn } from "./importing";
import type { ImporterApi } from "./importer-protocol";
import { lookOver } from "./looking";
import { reportRequests } from "./requests";
import { cutsOf, showExamples } from "./shown-examples";
import { registerTransferHandlers } from "./transfer";

const ALIVE_MS = 2000;

interface Going {
  reading: AbortController;
  looking: AbortController;
  isLooking: boolean;
}

/** Stopping ends what it is at: the reading, or the look over what was read. */
let going: Going | null = null;
let looks: Promise<void> = Promise.resolve();

const api: ImporterApi = {
  take: async (request, onEvent) => {
    if (going !== null) throw new DuctusError("app/busy", "Files are being read already.", "Wait for that to end.");
    const mine: Going = { reading: new AbortController(), looking: new AbortController(), isLooking: false };
    going = mine;
    const beat = setInterval(() => onEvent({ type: "alive" }), ALIVE_MS);
    try {
      await looks;
      return await takeIn(request, { reading: mine.reading.signal, looking: mine.looking.signal }, (event) => {
        if (event.type === "progress") mine.isLooking = event.progress.phase === "looking";
        onEvent(event);
      });
    } finally {
      clearInterval(beat);
      going = null;
    }
  },
  look: (handId) => {
    const look = looks.then(() => lookOver(handId, new AbortController().signal));
    looks = look.catch(() => undefined); // it is told to whoever asked for it
    return look;
  },
  examples: showExamples,
  cuts: cutsOf,
  stop: () => (going?.isLooking === true ? going.looking : going?.reading)?.abort(new DOMException("stopped", "AbortError")),
};

reportRequests();
registerTransferHandlers();
expose(api);
