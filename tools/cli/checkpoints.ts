/** A run's checkpoints in a folder: the newest two, each written whole or not at all. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DuctusError } from "../../lib/core/errors";
import { MIN_8BIT_SIZE } from "../../lib/train/optimizer/adamw8bit";
import { STATE_BLOCK } from "../../lib/train/optimizer/blockwise";
import { firstReadable, type SftCheckpoint } from "../../lib/train/sft/checkpoint";
import type { SftConfig } from "../../lib/train/sft/config";
import { makeFolder, MAX_BINARY_BYTES, readBytes, writeFile, writing } from "./paths";

const KEPT = 2;
const NAME = /^step-(\d{8})\.checkpoint$/;
/** Of what stands beside the numbers: notes and digest, and each tensor's entries in the header, three or four of them. */
const NOTES_BYTES = 4096, ENTRIES_BYTES = 800;

/**
 * Bytes that a checkpoint will have, at most.
 * @param tensors lengths of what is trained
 * @param keepsBest a second adapter is in it, the best so far
 */
export function checkpointBytes(tensors: readonly number[], { optim }: Pick<SftConfig, "optim">, keepsBest: boolean): number {
  // Two moments: of a byte each, with a scale for every block, or of four.
  const moments = (length: number) => 2 * (optim === "adamw_8bit" && length >= MIN_8BIT_SIZE ? length + 4 * Math.ceil(length / STATE_BLOCK) : 4 * length);
  return tensors.reduce((sum, length) => sum + ENTRIES_BYTES + (keepsBest ? 8 : 4) * length + moments(length), NOTES_BYTES);
}

/** @throws DuctusError `train/settings` where a checkpoint could not be read again, or not even be written */
export function requireReadable(...run: Parameters<typeof checkpointBytes>): void {
  const bytes = checkpointBytes(...run);
  if (bytes <= MAX_BINARY_BYTES) return;
  const megabytes = (count: number) => Math.round(count / 1e6).toLocaleString("en");
  throw new DuctusError("train/settings", `A checkpoint of this run would have ${megabytes(bytes)} MB; more than ${megabytes(MAX_BINARY_BYTES)} MB cannot be read again.`, "Choose a lower rank, fewer target_modules, or optim \"adamw_8bit\".");
}

export class CheckpointFolder {
  readonly path: string;

  constructor(out: string) {
    this.path = join(out, "checkpoints");
  }

  /** Newest first. */
  private names(): string[] {
    try {
      return readdirSync(this.path).filter((name) => NAME.test(name)).sort().reverse();
    } catch {
      return []; // no folder yet
    }
  }

  /** @returns the newest that can be read, null where there is none @throws DuctusError what is wrong with the newest, where none can be read */
  async newest(progress: (text: string) => void): Promise<SftCheckpoint | null> {
    const names = this.names();
    if (names.length === 0) return null;
    const path = this.path;
    const { checkpoint, damaged } = await firstReadable((function* () {
      for (const name of names) yield readBytes(join(path, name), MAX_BINARY_BYTES);
    })()).catch((error: unknown) => {
      // The next steps of the site are none here.
      throw error instanceof DuctusError && error.code !== "file/unreadable"
        ? new DuctusError(error.code, `No checkpoint in “${path}” can be read. ${error.message}`, "Remove them to start anew, or name another folder with --out.", { cause: error })
        : error;
    });
    damaged.forEach(({ message }, i) => progress(`${names[i]!}: ${message} Left aside for the one before it.`));
    return checkpoint;
  }

  /** Whether a run ended here before its last step. @throws DuctusError as {@link newest}: what cannot be read may be another version's */
  async unfinished(progress: (text: string) => void): Promise<boolean> {
    const checkpoint = await this.newest(progress);
    if (checkpoint === null) return false;
    const { trainer, totalSteps, checksWithoutGain, config: { earlyStoppingPatience: patience } } = checkpoint;
    return trainer.steps < totalSteps && !(patience > 0 && checksWithoutGain >= patience);
  }

  clear(): void {
    writing(this.path, () => { for (const name of this.names()) rmSync(join(this.path, name)); });
  }

  write(bytes: Uint8Array, steps: number): void {
    makeFolder(this.path);
    writeFile(this.path, `step-${String(steps).padStart(8, "0")}.checkpoint`, bytes);
    writing(this.path, () => { for (const name of this.names().slice(KEPT)) rmSync(join(this.path, name)); });
  }
}
