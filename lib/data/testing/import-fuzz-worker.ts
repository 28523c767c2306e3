/**
 * Imports damaged and hostile files one after another, in a thread of its own
 * that the test can end, and tells of each before and after it. Never part of
 * the product.
 */
import { parentPort, workerData } from "node:worker_threads";
import { importFiles } from "../import/import";
import { FORMATS, type FormatName } from "../import/types";
import { BROKEN, type BrokenName } from "./import-broken";
import { judge, makeInput } from "./import-fuzz";

export interface ImportFuzzOrder {
  /** Files of each format, and of these every `step`th is imported. */
  each: number;
  step: number;
  seed: string;
  /** The first one, by its place in the order of all. */
  from: number;
  formats?: readonly FormatName[];
  /** Of the long lines and runs of hostile files, in characters. */
  lineLength: number;
  /** Imports with a fault, to see that it is found. */
  broken?: BrokenName;
}

export interface ImportFuzzReport {
  at: "begin" | "read" | "left out" | "refused" | "failed" | "end";
  index: number;
  format: FormatName | "";
  round: number;
  how: string;
  whole: boolean;
  why?: string;
}

async function main({ each, step, seed, from, formats = FORMATS, lineLength, broken }: ImportFuzzOrder): Promise<void> {
  const rounds = Array.from({ length: Math.ceil(each / step) }, (_, i) => i * step);
  // formats in turn, so that what is ended in the middle has been through all of them
  const cases = rounds.flatMap((round) => formats.map((format) => ({ format, round })));
  const importer = broken === undefined ? importFiles : BROKEN[broken];
  for (const [index, { format, round }] of cases.entries()) {
    if (index < from) continue;
    const tell = (at: ImportFuzzReport["at"], how: string, whole: boolean, why?: string) => parentPort?.postMessage({ at, index, format, round, how, whole, ...(why === undefined ? {} : { why }) } satisfies ImportFuzzReport);
    const input = makeInput(format, round, seed, lineLength);
    tell("begin", input.how, input.whole);
    try {
      tell(await judge(input, importer), input.how, input.whole);
    } catch (error) {
      tell("failed", input.how, input.whole, error instanceof Error ? error.message.slice(0, 2000) : String(error));
    }
  }
  parentPort?.postMessage({ at: "end", index: cases.length, format: "", round: 0, how: "", whole: false } satisfies ImportFuzzReport);
}

void main(workerData as ImportFuzzOrder);
