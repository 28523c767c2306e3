/** Where the person wants the work done: remembered in the store, where the workers read it before they open a device. */
import { subscribe } from "../../lib/store/changes";
import { getSetting, setSetting } from "../../lib/store/hands";
import type { DeviceChoice } from "../_engine/device";
import { createStore } from "./store";

/** Null until it has been read. */
export const deviceChoice = createStore<{ value: DeviceChoice | null }>({ value: null });

let opened = false;

/** Calling it again changes nothing. */
export function openDeviceChoice(): void {
  if (opened) return;
  opened = true;
  subscribe(({ kind }) => {
    if (kind === "settings" || kind === "everything") void read();
  });
  void read();
}

async function read(): Promise<void> {
  const value = (await getSetting("device").catch(() => null)) ?? "auto";
  deviceChoice.set((before) => (before.value === value ? before : { value }));
}

/** Holds from the next piece of work on; what goes on stays where it is. Shown at once, and taken back where it cannot be stored. @throws DuctusError `store/…` */
export async function chooseDevice(value: DeviceChoice): Promise<void> {
  deviceChoice.set({ value });
  try {
    await setSetting("device", value === "auto" ? null : value);
  } catch (error) {
    await read();
    throw error;
  }
}
