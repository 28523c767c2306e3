/**
 * What of a work folder is done: stages.json keeps, for each stage, a hash of
 * everything that its output follows from, and the files that it wrote. A stage
 * is done again where the hash has changed or a file is gone. Training is not
 * among them: its checkpoints say how far it is.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import "../../lib/zod";
import * as z from "zod";

const stageSchema = z.object({ key: z.string(), files: z.record(z.string(), z.int().nonnegative()), facts: z.unknown().optional() });
const stagesSchema = z.record(z.string(), stageSchema);

export class Stages {
  private readonly path: string;

  constructor(private readonly work: string) {
    this.path = join(work, "stages.json");
  }

  /** A file that cannot be read counts as none: the stages are done again. */
  private read(): z.infer<typeof stagesSchema> {
    if (!existsSync(this.path)) return {};
    try {
      return stagesSchema.parse(JSON.parse(readFileSync(this.path, "utf8")));
    } catch {
      return {};
    }
  }

  isDone(name: string, key: string): boolean {
    const stage = this.read()[name];
    return stage?.key === key && Object.entries(stage.files).every(([file, bytes]) => sizeOf(join(this.work, file)) === bytes);
  }

  /** @param facts about the output, for the model card */
  setDone(name: string, key: string, files: readonly string[], facts?: unknown): void {
    const sizes = Object.fromEntries(files.map((file) => [file, statSync(join(this.work, file)).size]));
    writeWhole(this.path, `${JSON.stringify({ ...this.read(), [name]: { key, files: sizes, facts } }, null, 1)}\n`);
  }

  facts(name: string): unknown {
    return this.read()[name]?.facts;
  }
}

const sizeOf = (path: string): number | null => (existsSync(path) ? statSync(path).size : null);

/** Under another name first, so that a file of this name is never half a file. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.part`, content);
  renameSync(`${path}.part`, path);
}

/** SHA-256 of a value's JSON. */
export const hashOf = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex");

/** SHA-256 of a file. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Uint8Array);
  return hash.digest("hex");
}
