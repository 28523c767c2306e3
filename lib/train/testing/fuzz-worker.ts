/**
 * Runs damaged files one after another, in a thread of its own that the test
 * can end. Counts what is read and what typed arrays and buffers are made, and
 * tells of every case before and after it. Never part of the product.
 */
import { counts } from "./fuzz-count"; // before all that makes buffers
import { parentPort, workerData } from "node:worker_threads";
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import { bytesSource } from "../adapter/safetensors";
import type { ModelFiles } from "../model/files";
import { KINDS, type Files } from "./fuzz-kinds";

export interface FuzzOrder {
  /** Damaged files of each kind, and of these every `step`th is run. */
  each: number;
  step: number;
  seed: string;
}

export type FuzzReport =
  | { at: "begin"; kind: string; round: number }
  | { at: "refused"; kind: string; round: number; code: string }
  | { at: "read"; kind: string; round: number }
  | { at: "failed"; kind: string; round: number; why: string }
  | { at: "end" };

function counted(files: Files): ModelFiles {
  return {
    names: () => Object.keys(files),
    open: (name) => {
      const source = bytesSource(files[name]!);
      return Promise.resolve({
        size: source.size,
        read: (start, end) => {
          counts.reads++;
          counts.bytesRead += end - start;
          return source.read(start, end);
        },
      });
    },
  };
}

const KB = 1024;

/**
 * What files may cost: no array or buffer is larger than they are together (but for 1 KB), whatever sizes they speak
 * of; all of them, the weights as they will be held and working space among them, a small multiple. (These files' largest
 * tensor has less than half of their bytes, so that it fits in twice as many bits.)
 */
function checkCosts(bytes: number): void {
  if (counts.largest > bytes + KB) throw new Error(`asked for ${counts.largest} bytes at once, for files of ${bytes}`);
  if (counts.all > 6 * bytes + 8 * KB) throw new Error(`asked for ${counts.all} bytes, for files of ${bytes}`);
  if (counts.bytesRead > 4 * bytes) throw new Error(`read ${counts.bytesRead} bytes of files of ${bytes}`);
  if (counts.reads > 300) throw new Error(`read ${counts.reads} times`);
}

async function runCase(kind: (typeof KINDS)[number], valid: Files, random: Random, edits: number): Promise<string | null> {
  const files = { ...valid };
  for (let i = 0; i < edits; i++) kind.damage(files, random);
  const given = kind.given?.(files) ?? files;
  const bytes = Object.values(given).reduce((sum, content) => sum + content.byteLength, 0);
  Object.assign(counts, { largest: 0, all: 0, reads: 0, bytesRead: 0 });
  try {
    const compare = await kind.open(given, counted, random, files);
    checkCosts(bytes);
    compare();
    return null;
  } catch (error) {
    if (!(error instanceof DuctusError)) throw error;
    checkCosts(bytes);
    if (!kind.codes.includes(error.code)) throw new Error(`refused with the code ${error.code}: ${error.message} ${error.details ?? ""}`, { cause: error });
    if (error.message.length > 500 || error.next === "") throw new Error(`refused in bad words: ${error.message.slice(0, 600)}`, { cause: error });
    return error.code;
  }
}

async function main({ each, step, seed }: FuzzOrder): Promise<void> {
  const tell = (report: FuzzReport) => parentPort?.postMessage(report);
  for (const kind of KINDS) {
    const valid = await kind.make();
    for (let round = -1; round < each; round += round < 0 ? 1 : step) {
      tell({ at: "begin", kind: kind.name, round });
      const random = new Random(`${seed} ${kind.name} ${round}`);
      try {
        // Round −1 is the valid file; it must be read.
        const code = await runCase(kind, valid, random, round < 0 ? 0 : 1 + random.int(3));
        if (round < 0 && (code !== null || counts.all === 0)) throw new Error(`the valid file: ${code ?? "nothing was counted"}`);
        if (round >= 0) tell(code === null ? { at: "read", kind: kind.name, round } : { at: "refused", kind: kind.name, round, code });
      } catch (error) {
        tell({ at: "failed", kind: kind.name, round, why: error instanceof Error ? (error.stack ?? error.message).slice(0, 2000) : String(error) });
      }
    }
  }
  tell({ at: "end" });
}

void main(workerData as FuzzOrder);
