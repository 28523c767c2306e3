/** Whether the person has turned the model hub on: off until they do. Remembered in the store, where the worker that downloads reads it, too. */
import { subscribe } from "../../lib/store/changes";
import { getSetting, setSetting } from "../../lib/store/hands";
import { createStore } from "./store";

/** Null until it has been read. */
export const hubSetting = createStore<{ on: boolean | null }>({ on: null });

let opened = false;

/** Calling it again changes nothing. */
export function openHubSetting(): void {
  if (opened) return;
  opened = true;
  subscribe(({ kind }) => {
    if (kind === "settings" || kind === "everything") void read();
  });
  void read();
}

async function read(): Promise<void> {
  // What cannot be read is off.
  const on = (await getSetting("hub").catch(() => null)) === true;
  hubSetting.set((before) => (before.on === on ? before : { on }));
}

/** Shown once it is stored: what is off must be off. @throws DuctusError `store/…` */
export async function turnHub(on: boolean): Promise<void> {
  await setSetting("hub", on ? true : null);
  hubSetting.set({ on });
}
