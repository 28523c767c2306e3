/**
 * The stages before training: the corpus prepared by prepare.py, the three forms
 * made from it, and the order of the sequences. Each leaves out what is done.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DuctusError } from "../../lib/core/errors";
import { createTokenizer } from "../../lib/train/model/tokenizer";
import { checkpointSteps } from "./checkpoint";
import { Corpus } from "./corpus";
import { tokenizerConfig } from "./export-files";
import { type FormCounts, makeForms } from "./forms";
import { orderFile, orderOf } from "./order";
import { runPython } from "./python";
import { PHASES, type Recipe } from "./recipe";
import { hashFile, hashOf, type Stages, writeWhole } from "./stages";

export interface StageContext {
  work: string;
  recipe: Recipe;
  stages: Stages;
  signal: AbortSignal;
  progress: (text: string) => void;
}

const PREPARED = ["tokenizer.json", "train.bin", "held.bin", "train.docs.json", "held.docs.json"];

/**
 * @param corpus null: what is in the work folder already is taken as it is
 * @throws DuctusError `data/corpus`, `file/not-found`, `app/python`
 */
export async function prepare({ work, recipe, stages, signal, progress }: StageContext, corpus: string | null): Promise<void> {
  if (corpus === null) {
    const missing = PREPARED.filter((file) => !existsSync(join(work, file)));
    if (missing.length > 0) throw new DuctusError("data/corpus", `${work} has no ${missing.join(", no ")}.`, "Name the corpus with --corpus.");
    return;
  }
  if (!existsSync(corpus)) throw new DuctusError("file/not-found", `There is no corpus ${corpus}.`, "Name one that is there.");
  const given = recipe.tokenizer.file ?? (recipe.init && join(recipe.init.folder, "tokenizer.json"));
  const key = hashOf({
    corpus: await hashFile(corpus), seed: recipe.seed, heldOutModulo: recipe.heldOutModulo, vocabSize: recipe.model.vocabSize,
    tokenizer: given === null ? recipe.tokenizer : await hashFile(given),
  });
  if (stages.isDone("prepare", key)) return progress("prepare: done before");
  if (checkpointSteps(work).length > 0) throw new DuctusError("train/other-recipe", "The checkpoints in the work folder were trained on other data than this corpus and recipe give.", "Take another work folder, or leave --corpus out to go on with the data that is there.");
  progress("prepare: tokenizer and tokens");
  await runPython([fileURLToPath(new URL("prepare.py", import.meta.url)), corpus, work], signal, (line) => progress(`prepare: ${line}`));
  stages.setDone("prepare", key, PREPARED);
}

const FORM_FILES = ["forms_train.bin", "forms_held.bin"];

/** What the forms stage notes of each part. */
export type FormFacts = Record<"train" | "held", FormCounts>;

export async function forms({ work, recipe, stages, signal, progress }: StageContext): Promise<void> {
  const key = hashOf({ version: 1, forms: recipe.forms, seed: recipe.seed, sequenceLength: recipe.sequenceLength, data: await dataHash(work) });
  if (stages.isDone("forms", key)) return progress("forms: done before");
  const tokenizer = createTokenizer(JSON.parse(readFileSync(join(work, "tokenizer.json"), "utf8")), tokenizerConfig(recipe));
  const facts = {} as FormFacts;
  for (const [part, target] of [["held", recipe.forms.heldTokens], ["train", recipe.forms.trainTokens]] as const) {
    let told = Date.now();
    const { tokens, counts } = await makeForms(Corpus.read(work, part, tokenizer), tokenizer, recipe, part, target, async (made) => {
      await new Promise((resolve) => setImmediate(resolve)); // lets a signal in
      signal.throwIfAborted();
      if (Date.now() - told < 5000) return;
      told = Date.now();
      progress(`forms: ${part} ${Math.floor((100 * made) / target)} %`);
    });
    writeWhole(join(work, `forms_${part}.bin`), new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength));
    facts[part] = counts;
    progress(`forms: ${part} ${JSON.stringify(counts)}`);
  }
  stages.setDone("forms", key, FORM_FILES, facts);
}

/** Hash of the prepared corpus. */
export const dataHash = async (work: string): Promise<string> => hashOf(await Promise.all(["tokenizer.json", "train.bin", "held.bin"].map((file) => hashFile(join(work, file)))));

/** Takes a second or two, so it is always made anew: the steps may have changed. */
export function order({ work, recipe }: StageContext): void {
  const count = (file: string): number => statSync(join(work, file)).size / 2;
  for (const phase of PHASES) {
    const entries = orderOf(recipe, phase, { train: count("train.bin"), forms: count("forms_train.bin") });
    writeWhole(join(work, orderFile(phase)), new Uint8Array(entries.buffer));
  }
}
