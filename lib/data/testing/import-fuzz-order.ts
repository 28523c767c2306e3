/** An order of damaged and hostile files, imported one after another, with a report before and after each. Where it runs, and who ends it, is for others. */
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

/** How many files an order has in all, those before its first one too. */
export const filesOf = ({ each, step, formats = FORMATS }: ImportFuzzOrder): number => Math.ceil(each / step) * formats.length;

/** Tells of each file that it is begun, before its import can hold everything fast, and what came of it; at the end, that it is. */
export async function carryOut(order: ImportFuzzOrder, tell: (report: ImportFuzzReport) => void): Promise<void> {
  const { each, step, seed, from, formats = FORMATS, lineLength, broken } = order;
  const rounds = Array.from({ length: Math.ceil(each / step) }, (_, i) => i * step);
  // formats in turn, so that what is ended in the middle has been through all of them
  const cases = rounds.flatMap((round) => formats.map((format) => ({ format, round })));
  const importer = broken === undefined ? importFiles : BROKEN[broken];
  for (const [index, { format, round }] of cases.entries()) {
    if (index < from) continue;
    const input = makeInput(format, round, seed, lineLength);
    const say = (at: ImportFuzzReport["at"], why?: string) => tell({ at, index, format, round, how: input.how, whole: input.whole, ...(why === undefined ? {} : { why }) });
    say("begin");
    try {
      say(await judge(input, importer));
    } catch (error) {
      say("failed", error instanceof Error ? error.message.slice(0, 2000) : String(error));
    }
  }
  tell({ at: "end", index: cases.length, format: "", round: 0, how: "", whole: false });
}
