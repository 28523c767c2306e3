/**
 * What the settings page and its two workers say to one another: types only, as
 * protocol.ts has them for the workers that train and write.
 */
import type { SerializedError } from "../lib/core/errors";
import type { TakenIn } from "../lib/store/everything";
import type { Hand } from "../lib/store/types";
import type { StorageUsage } from "../lib/store/usage";

/** A model that what was taken in needs, and that is not in this browser. */
export interface NeededModel {
  /** As it was called where the hand was taught to it. */
  name: string;
  sha256: string;
}

export interface Opened extends TakenIn {
  needed: NeededModel[];
}

export interface SavedEverything {
  file: Blob;
  hands: number;
  /** What is damaged, and so is not in the file. */
  leftOut: SerializedError[];
}

export type { Hand, StorageUsage };

export interface KeeperApi {
  usage(): Promise<StorageUsage>;
  /** All that is the person's as one zip; null when it was stopped. `onProgress` hears the bytes written so far. */
  save(onProgress: (bytes: number) => void): Promise<SavedEverything | null>;
  /** Takes in such a zip; null when it was stopped: hands that came before that stay. `onProgress` hears how many hands of how many. */
  open(file: Blob, onProgress: (done: number, total: number) => void): Promise<Opened | null>;
  stop(): void;
}

/** What a device did with the sums whose right results are known. */
export interface DeviceTest {
  kind: "webgpu" | "wasm";
  /** "absent": the browser offers none. "stuck": it could not even run, which need not be the device's fault. */
  result: "passed" | "wrong" | "stuck" | "absent";
  /** The browser does a graphics processor's work on the processor. */
  emulated: boolean;
  threads: number;
  /** For a short sum of the size that training has; null where it was not timed. */
  sumMs: number | null;
  /** What the browser says of it, and of what went wrong. */
  details: string;
}

export interface SelfTestApi {
  test(kind: DeviceTest["kind"]): Promise<DeviceTest>;
}
