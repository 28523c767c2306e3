/**
 * Asking and being answered: sends what a person says, or says anew, to the
 * writer, streams what comes back, and keeps it as a turn when it has ended,
 * whichever way. One answer at a time. What the model is asked is in asking.ts.
 */
import { DuctusError, serializeError } from "../../lib/core/errors";
import type { AdapterInfo } from "../../lib/store/adapters";
import { newId } from "../../lib/store/db";
import { getModel } from "../../lib/store/models";
import type { Written } from "../../lib/store/types";
import type { WriteEvent } from "../../workers/protocol";
import { stopWriting, write } from "../_engine/writer";
import { askFor, canAsk, type Form } from "./asking";
import { change, chat, changeOpen, type Live, type LiveRow, type Open, place } from "./chat";
import { chatSettings, samplingOf, seedFor, voicesFor } from "./chat-settings";
import { isActive, run } from "./run";
import { endUnder, pathTo, type Placed } from "./thread";
import { workspace } from "./workspace";

/** The last words travel apart from the writer's answer, and apart from one another. */
const LAST_WORDS_MS = 1500;

/** Counts answers: what arrives for an earlier one is not heard. */
let serial = 0;
/** Called when the last row has ended. */
let allEnded: () => void = () => undefined;

/** Says something at the end of what is on show, and has it answered. */
export function say(form: Form, text: string): Promise<void> {
  const { open, live } = chat.get();
  if (live !== null || !canAsk(form, text)) return Promise.resolve();
  const turn: Placed = { id: newId(), after: open.showing, role: "user", form, text: text.trim() };
  if (open.thread.length === 0) changeOpen(open.id, { adapterId: speaker().adapter?.id ?? null });
  place(turn);
  return answer(turn.id);
}

/** Says an earlier turn otherwise: a version beside it, which is answered anew. What came before stays. */
export function revise({ after, role, form }: Placed, text: string): Promise<void> {
  if (chat.get().live !== null || !canAsk(form ?? "chat", text)) return Promise.resolve();
  const turn: Placed = { id: newId(), after, role, ...(form === undefined ? {} : { form }), text: text.trim() };
  place(turn);
  return answer(turn.id);
}

/** Whom the next answer is asked of: as chosen, else as in what is on show, else what was learned last. `gone`: who answered before is no longer here. */
export function speaker(): { adapter: AdapterInfo | null; gone: boolean } {
  return speakerOf(chat.get().chosenAdapterId, chat.get().open, workspace.get().adapters);
}

/** As {@link speaker}, from what it depends on. */
export function speakerOf(chosenId: string | null, { thread, showing, adapterId }: Pick<Open, "thread" | "showing" | "adapterId">, adapters: readonly AdapterInfo[]): { adapter: AdapterInfo | null; gone: boolean } {
  const wantedId = chosenId ?? pathTo(thread, showing).findLast((turn) => turn.adapterId !== undefined)?.adapterId ?? adapterId;
  const wanted = adapters.find(({ id }) => id === wantedId);
  return { adapter: wanted ?? adapters.at(-1) ?? null, gone: wantedId !== null && wanted === undefined };
}

/**
 * Has a turn answered, as often as is wanted: each answer is a version beside
 * those before, with a seed of its own. An answer to a text that goes on goes on further.
 * @param plain by the hand's model as it came, where what taught it cannot be used
 */
export async function answer(after: string, plain = false): Promise<void> {
  const { open, live } = chat.get();
  const { hand } = workspace.get();
  if (live !== null || hand === null || hand.id !== open.handId) return;
  const mine = ++serial;
  const settings = chatSettings.get();
  const adapter = plain ? null : speaker().adapter;
  const path = pathTo(open.thread, after);
  const voices = voicesFor(settings.who, adapter !== null);
  const seed = seedFor(settings, open.thread.filter((turn) => turn.after === after).map((turn) => turn.seed));
  const sampling = samplingOf(settings);
  const rows = voices.map((voice): LiveRow => ({ voice, text: "", stop: null, forgotten: 0 }));
  const ended = new Promise<void>((resolve) => (allEnded = resolve));
  changeOpen(open.id, { showing: after });
  change({ live: { after, rows, adapterId: adapter?.id ?? null, seed, sampling, loading: null, stopping: false }, fault: null });
  try {
    await makeSureOfRoom(adapter, hand.model !== undefined);
    if (mine !== serial) return; // stopped meanwhile
    await write({ handId: hand.id, adapterId: adapter?.id ?? null, rows: voices.map((voice) => ({ voice, ask: askFor(path, voice), seed })), sampling, device: "auto" }, (event) => take(mine, event));
    await Promise.race([ended, pause(LAST_WORDS_MS)]);
    if (mine === serial) settle();
  } catch (error) {
    if (mine !== serial) return;
    settle();
    change({ fault: { after, error: serializeError(error) } });
  }
}

/** A model that was brought in does not fit twice into the memory that a tab has. @throws DuctusError `app/busy` */
async function makeSureOfRoom(adapter: AdapterInfo | null, handHasOwn: boolean): Promise<void> {
  const { live } = run.get();
  if (!isActive(live) || !live.large) return;
  if (adapter === null ? !handHasOwn : (await getModel(adapter.modelSha256)) === null) return;
  throw new DuctusError("app/busy", "A model is being taught in this tab, and one of its size does not fit into memory a second time to answer here.", "Ask again when the training has ended, or stop it; what you said is kept.");
}

function take(mine: number, event: WriteEvent): void {
  const { live } = chat.get();
  if (mine !== serial || live === null) return;
  switch (event.type) {
    case "loading":
      return change({ live: { ...live, loading: { done: event.done, total: event.total } } });
    case "device":
      return change({ live: { ...live, loading: null }, device: event.device });
    case "text":
      return takeRow(live, event.row, { text: event.text });
    case "done":
      takeRow(live, event.row, { text: event.text, stop: event.stop, forgotten: event.forgotten });
      if (chat.get().live?.rows.every(({ stop }) => stop !== null)) allEnded();
      return;
    default:
      return event satisfies never;
  }
}

function takeRow(live: Live, at: number, part: Partial<LiveRow>): void {
  // A text that comes after its end is an earlier one.
  change({ live: { ...live, loading: null, rows: live.rows.map((row, i) => (i === at && row.stop === null ? { ...row, ...part } : row)) } });
}

/** Stops what is being written; it stays, as far as it has come. */
export function stopAnswer(): void {
  const { live } = chat.get();
  if (live === null || live.stopping) return;
  void stopWriting().catch(() => undefined); // a writer that died has stopped
  if (live.rows.every(({ text }) => text === "")) return settle(); // it may be a while yet before it listens
  change({ live: { ...live, stopping: true } });
  const mine = serial;
  void pause(LAST_WORDS_MS).then(() => { if (mine === serial) settle(); });
}

/** As stopAnswer, and at once: before another conversation takes the place of this one. */
export function endAnswer(): void {
  if (chat.get().live === null) return;
  void stopWriting().catch(() => undefined);
  settle();
}

/** Makes a turn of what has been written, if anything has; nothing more is heard of it. */
function settle(): void {
  const { live } = chat.get();
  serial++;
  allEnded();
  change({ live: null });
  if (live === null) return;
  const { after, rows, adapterId, seed, sampling } = live;
  // To end without a word is an answer, too; to be stopped before the first is none, and what was there before is shown again.
  if (rows.every(({ text, stop }) => text.trim() === "" && stop !== "end")) {
    const { id, thread } = chat.get().open;
    return changeOpen(id, { showing: endUnder(thread, after) });
  }
  const [first, second] = rows.map(written);
  place({
    id: newId(), after, role: "assistant", text: "", ...first, ...(second === undefined ? {} : { beside: second }),
    ...(adapterId === null ? {} : { adapterId }), seed, sampling,
  });
}

function written({ voice, text, stop, forgotten }: LiveRow): Written {
  const why = stop === "end" ? null : (stop ?? "stopped");
  return { voice, text: text.trim(), ...(why === null ? {} : { unfinished: true, stop: why }), ...(forgotten > 0 ? { forgotten } : {}) };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
