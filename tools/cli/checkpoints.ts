/** A run's checkpoints in a folder: the newest two, each written whole or not at all. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { decodeCheckpoint, firstReadable, type SftCheckpoint } from "../../lib/train/sft/checkpoint";
import { makeFolder, readBytes, writeFile, writing } from "./paths";

const KEPT = 2;
const NAME = /^step-(\d{8})\.checkpoint$/;

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
      for (const name of names) yield readBytes(join(path, name));
    })());
    for (const { message } of damaged) progress(message);
    return checkpoint;
  }

  /** Whether a run ended here before its last step. */
  async unfinished(): Promise<boolean> {
    const [name] = this.names();
    if (name === undefined) return false;
    const checkpoint = await decodeCheckpoint(readBytes(join(this.path, name))).catch(() => null);
    return checkpoint !== null && checkpoint.trainer.steps < checkpoint.totalSteps;
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
