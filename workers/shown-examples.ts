/**
 * The training examples that a hand's writing is made into, for the person to
 * read: the very ones of a run's first pass, with the prompt as the model reads
 * it. The tokenizer is that of the hand's model, without its weights.
 */
import { DuctusError } from "../lib/core/errors";
import { Random } from "../lib/core/random";
import { makeExamples, type Example } from "../lib/data/examples";
import { partsOf, splitDocuments, type PartName, type Split } from "../lib/data/split";
import { listDocuments, usedDocuments } from "../lib/store/documents";
import { getHand, splitOptions } from "../lib/store/hands";
import { openModelFolder } from "../lib/store/model-files";
import { getModel, modelGone } from "../lib/store/models";
import type { Hand } from "../lib/store/types";
import { EMBEDDED_MODEL_ID } from "../lib/train/model/embedded";
import { opfsModel } from "../lib/train/model/files";
import { openSettings } from "../lib/train/model/load";
import { loadModelSettings } from "../lib/train/model/manifest";
import { createTokenizer, type TextTokenizer } from "../lib/train/model/tokenizer";
import { tokenizeExample } from "../lib/train/sft/prepare";
import { defaultConfig } from "../lib/train/sft/recipes";
import type { Cut, ShownExample, ShownExamples } from "./importer-protocol";
import { fetchModelFile } from "./model-files";

/** The pass that is shown; the passes of a run are 1, 2, … */
const FIRST_PASS = 1;

interface Reading {
  tokenizer: TextTokenizer;
  parameters: number;
}

let kept: { key: string; reading: Promise<Reading> } | null = null;

export async function showExamples(handId: string, seed: number, count: number): Promise<ShownExamples> {
  const { hand, split, words } = await divided(handId);
  const examples = makeExamples(partsOf(split, "train"), { seed: hand.seed, pass: FIRST_PASS });
  const counts = { continue: 0, keywords: 0 };
  for (const { form } of examples) counts[form]++;
  const { tokenizer, parameters } = await readingOf(hand);
  const maxTokens = defaultConfig(parameters, words).maxLength;
  return { counts, examples: drawn(examples, seed, count).map((example) => shown(tokenizer, example, maxTokens)) };
}

/** One of each form first, as far as there are any. */
function drawn(examples: readonly Example[], seed: number, count: number): Example[] {
  const shuffled = new Random(`shown/${seed}`).shuffle([...examples]);
  const firsts = (["continue", "keywords"] as const).flatMap((form) => shuffled.find((example) => example.form === form) ?? []);
  return [...firsts, ...shuffled.filter((example) => !firsts.includes(example))].slice(0, count);
}

function shown(tokenizer: TextTokenizer, example: Example, maxTokens: number): ShownExample {
  const { ids, promptLength } = tokenizeExample(tokenizer, example, Number.MAX_SAFE_INTEGER);
  return {
    documentId: example.documentId, form: example.form,
    prompt: example.messages.at(-1)?.content ?? "",
    completion: example.completion,
    template: tokenizer.decode(ids.slice(0, promptLength), { skipSpecial: false }),
    promptTokens: promptLength, completionTokens: ids.length - promptLength, maxTokens,
  };
}

export async function cutsOf(handId: string, documentId: string): Promise<Cut[]> {
  const { hand, split } = await divided(handId);
  const inPart = (part: PartName): Cut[] =>
    makeExamples(partsOf(split, part), { seed: hand.seed, pass: part === "train" ? FIRST_PASS : 0 }).flatMap(({ id, documentId: of, form, words }) => (of === documentId ? [{ start: Number(id.split(":")[2]), words, part, form }] : []));
  return [...inPart("train"), ...inPart("validation"), ...inPart("test")].sort((a, b) => a.start - b.start);
}

async function divided(handId: string): Promise<{ hand: Hand; split: Split; words: number }> {
  const hand = await getHand(handId);
  if (!hand) throw new DuctusError("store/missing", "This hand is no longer here.", "Choose another one.");
  const documents = usedDocuments(await listDocuments(handId, () => undefined));
  return { hand, split: splitDocuments(documents, hand.seed, splitOptions(hand)), words: documents.reduce((sum, d) => sum + d.words, 0) };
}

function readingOf({ model }: Hand): Promise<Reading> {
  const key = model?.id ?? EMBEDDED_MODEL_ID;
  if (kept?.key === key) return kept.reading;
  const mine = (kept = { key, reading: model === undefined ? embedded() : broughtIn(model.id, model.name) });
  mine.reading.catch(() => {
    if (kept === mine) kept = null;
  });
  return mine.reading;
}

async function embedded(): Promise<Reading> {
  const { entry, tokenizerJson, tokenizerConfig } = await loadModelSettings(`${self.location.origin}/models`, EMBEDDED_MODEL_ID, fetchModelFile);
  return { tokenizer: createTokenizer(tokenizerJson, tokenizerConfig), parameters: entry.parameters };
}

async function broughtIn(id: string, name: string): Promise<Reading> {
  const stored = await getModel(id);
  const folder = stored === null ? null : await openModelFolder(stored.folder);
  if (stored === null || folder === null) throw modelGone(name);
  const { tokenizer } = await openSettings(await opfsModel(folder));
  return { tokenizer, parameters: stored.parameters };
}
