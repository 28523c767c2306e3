/**
 * The model card (README.md of the exported folder): what the recipe, the list of
 * documents, the log and the benchmark's lines say, in Hugging Face's form. The
 * words around the facts are ours; where a fact is not there, the card says
 * nothing about it.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { CorpusDocument } from "./corpus";
import type { Sample } from "./export-samples";
import type { FormFacts } from "./data-stages";
import { phaseShape, PHASES, totalSteps, type Recipe } from "./recipe";

const sourcesSchema = z.strictObject({
  licence: z.strictObject({ id: z.string(), name: z.string(), why: z.string() }),
  /** A document is of the first whose kind ("" is any) and beginning of `source` fit. */
  sources: z.array(z.strictObject({ kind: z.string(), source: z.string(), name: z.string(), licence: z.string(), attribution: z.string() })),
});
export const SOURCES = sourcesSchema.parse(JSON.parse(readFileSync(new URL("sources.json", import.meta.url), "utf8")));

const measureSchema = z.looseObject({ name: z.string(), value: z.number().nullable(), unit: z.string(), ratio: z.number().nullish(), note: z.string().nullish() });
export type BenchLine = z.infer<typeof measureSchema>;

/** Lines of `npm run bench -- base-model`; lines that are no measures are left out. */
export function readBench(path: string): BenchLine[] {
  return readFileSync(path, "utf8").split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    const parsed = measureSchema.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  });
}

export interface CardFacts {
  recipe: Recipe;
  parameters: number;
  weightsBytes: number;
  documents: Record<"train" | "held", readonly CorpusDocument[]>;
  forms: FormFacts | undefined;
  /** Held-out bits per byte by step, as the log has them. */
  heldOut: readonly { step: number; bits: number }[];
  usesAverage: boolean;
  bench: readonly BenchLine[];
  samples: readonly Sample[];
}

const number = (value: number): string => value.toLocaleString("en-US");
const millions = (value: number): string => (value >= 1e6 ? `${(value / 1e6).toFixed(1)} million` : number(value));
const megabytes = (bytes: number): string => (bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1000)} kB`);
const percent = (share: number): string => `${Math.round(100 * share)} %`;
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const cell = (text: string): string => text.replace(/\|/g, "\\|");
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");

/** `ductus-base` → `Ductus Base`. */
export const titleOf = (recipe: Pick<Recipe, "name">): string => recipe.name.split("-").map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join(" ");

export function modelCard(facts: CardFacts): string {
  const { recipe, parameters, samples } = facts;
  return [
    ["---", `license: ${SOURCES.licence.id}`, "language:", "- en", "library_name: transformers", "pipeline_tag: text-generation", "tags:", "- qwen3", "- small-language-model", "- ductus", "---"].join("\n"),
    `# ${titleOf(recipe)}`,
    `A language model of ${number(parameters)} parameters that runs, and can be taught, inside a browser tab. It is large enough that a change of hand shows in what it writes, and small enough to be trained on a processor without a graphics card.`,
    "It is a base for LoRA adapters, not an assistant. It knows nothing reliably and should not be asked for facts.",
    "## Architecture",
    "`Qwen3ForCausalLM`, in the usual Hugging Face layout; transformers opens this folder as it is.",
    architecture(facts),
    "## What it was trained on",
    dataText(facts),
    dataTable(facts),
    `None of the text is part of this folder. Line ends and spaces were normalised. The weights are given under ${SOURCES.licence.name}, ${SOURCES.licence.why}.`,
    "## How it was trained",
    trainingText(facts),
    "## Prompt forms",
    "ChatML without a system message, as the chat template writes it. `<|im_end|>` (2) ends a turn, `<|endoftext|>` (0) a document.",
    [
      "1. **Continue**: `Continue:` and, after an empty line, a passage; the answer is the passage that follows.",
      "2. **From key words**: `Write with these words: harbour, letter, winter` (one to eight, in any order); the answer is a passage that should use them.",
      "3. **Reply**: a conversation between two or more, consecutive messages of one side joined by a line break; the model answers as one person.",
    ].join("\n"),
    "## Results",
    results(facts),
    ...(samples.length > 0 ? ["## Samples", "Temperature 0.8, top-p 0.95, the seeds as given; not chosen.", ...sampleTexts(samples)] : []),
    "## Limits",
    [
      "- Grammar mostly holds over a sentence; sense often does not.",
      "- Most of what it read are novels of the nineteenth and early twentieth century: left to itself it sounds like one, and it repeats that period's views of people as well. Nothing was filtered for them.",
      "- English only. It invents names, events and facts.",
      "- Measured on text like its training text; no test of knowledge or safety was made.",
    ].join("\n"),
  ].join("\n\n") + "\n";
}

function architecture({ recipe, weightsBytes }: CardFacts): string {
  const { model } = recipe;
  const lengths = recipe.long.steps > 0 ? `${recipe.sequenceLength}, at the end on ${number(recipe.long.sequenceLength)}` : String(recipe.sequenceLength);
  return table(["", ""], [
    ["vocabulary", `${number(model.vocabSize)} (byte-level BPE, Qwen's pre-tokenizer, NFC)`],
    ["hidden size, layers", `${model.hiddenSize}, ${model.layers}`],
    ["attention", `${model.heads} query heads of ${model.headDim}, ${model.kvHeads} key/value head${model.kvHeads === 1 ? "" : "s"}, RMSNorm on queries and keys`],
    ["feed-forward", `SwiGLU, ${model.intermediateSize}`],
    ["positions", `rotary, base ${number(model.ropeTheta)}; up to ${number(model.maxPositions)}, trained on ${lengths}`],
    ["output head", "tied to the embedding"],
    ["weights", `f16, ${megabytes(weightsBytes)}`],
  ]);
}

function dataText({ recipe, documents: { train, held } }: CardFacts): string {
  const tokens = sum(train.map((d) => d.tokens));
  return `English text, ${millions(tokens)} training tokens at ${(sum(train.map((d) => d.bytes)) / tokens).toFixed(2)} bytes a token. A document was held out when the SHA-256 of its source, modulo ${recipe.heldOutModulo}, is 0 (${number(held.length)} documents, ${millions(sum(held.map((d) => d.tokens)))} tokens).`;
}

function dataTable({ documents }: CardFacts): string {
  const all = [...documents.train, ...documents.held];
  const sourceOf = ({ kind, source }: CorpusDocument) => SOURCES.sources.find((one) => (one.kind === "" || one.kind === kind) && source.startsWith(one.source));
  const rows = SOURCES.sources.flatMap((one) => {
    const own = all.filter((document) => sourceOf(document) === one);
    return own.length === 0 ? [] : [{ bytes: sum(own.map((d) => d.bytes)), row: [one.name, [...new Set(own.map((d) => d.kind))].join(", "), number(own.length), megabytes(sum(own.map((d) => d.bytes))), one.licence, one.attribution] }];
  });
  const unknown = all.filter((document) => sourceOf(document) === undefined);
  if (unknown.length > 0) rows.push({ bytes: 0, row: ["of unknown origin", "", number(unknown.length), megabytes(sum(unknown.map((d) => d.bytes))), "unknown", ""] });
  return table(["source", "kind", "documents", "size", "licence", "attribution"], rows.sort((a, b) => b.bytes - a.bytes).map(({ row }) => row));
}

function trainingText({ recipe, forms, usesAverage, documents }: CardFacts): string {
  const { stable, decay, long, muon, adam } = recipe;
  const share = (phase: (typeof PHASES)[number]): string => {
    const { fromForms, sequences } = phaseShape(recipe, phase);
    return fromForms === 0 ? "" : `, ${percent(fromForms / sequences)} of the sequences being conversations in the forms below`;
  };
  const plain = sum(PHASES.map((phase) => (recipe[phase].steps * recipe.tokensPerStep * (phaseShape(recipe, phase).sequences - phaseShape(recipe, phase).fromForms)) / phaseShape(recipe, phase).sequences));
  return [
    `${millions(totalSteps(recipe) * recipe.tokensPerStep)} tokens in all, ${(plain / sum(documents.train.map((d) => d.tokens))).toFixed(2)} passes over the documents, ${number(recipe.tokensPerStep)} tokens a step.`,
    recipe.init === null ? "" : `It went on from weights that had seen ${millions(recipe.init.seenSteps * recipe.tokensPerStep)} tokens before.`,
    `The matrices of the blocks were trained with Muon (learning rate ${muon.lr}, momentum ${muon.momentum}, weight decay ${muon.weightDecay}), the embedding and the norms with AdamW (${adam.lr}); gradients were clipped at ${recipe.clip}${recipe.zLoss > 0 ? `, with a z-loss of ${recipe.zLoss}` : ""}.`,
    `${number(stable.steps)} steps at a constant rate after ${stable.warmupSteps} of warm-up${share("stable")};`,
    `${number(decay.steps + long.steps)} of decay (${decay.shape}) to zero${share("decay")}, on sequences of ${recipe.sequenceLength} tokens${long.steps > 0 ? `, the last ${number(long.steps)} steps on sequences of ${number(long.sequenceLength)}` : ""}.`,
    usesAverage ? "The weights are a running mean of those that were trained." : "",
    forms === undefined ? "" : `The conversations were made from the training documents: ${number(forms.train.examples)} of them (${Object.entries(forms.train.forms).map(([form, n]) => `${form} ${percent(n / forms.train.examples)}`).join(", ")}), some altered as people write: in small letters, without punctuation or apostrophes, with slips, in short lines, with emoji, in verse.`,
  ].filter((text) => text !== "").join(" ");
}

function results({ heldOut, bench }: CardFacts): string {
  const parts: string[] = [];
  const measured = bench.filter(({ name, value }) => name.startsWith("base.") && name !== "base.machine" && value !== null);
  if (measured.length > 0) parts.push("From `npm run bench -- base-model`, on the held-out documents:", table(["measure", "value", "unit", "ratio"], measured.map(({ name, value, unit, ratio }) => [`\`${name}\``, String(value), unit, ratio == null ? "" : String(ratio)])));
  const last = heldOut.at(-1);
  if (last !== undefined) parts.push(`During training, bits per byte on held-out windows: ${heldOut.map(({ step, bits }) => `${bits.toFixed(3)} after ${number(step)} steps`).join(", ")}.`);
  return parts.length === 0 ? "Not measured." : parts.join("\n\n");
}

/** Each prompt, and under it what was written with each seed. */
function sampleTexts(samples: readonly Sample[]): string[] {
  const prompts = [...new Set(samples.map(({ prompt }) => prompt))];
  return prompts.map((prompt) => [quote(prompt), ...samples.filter((one) => one.prompt === prompt).map(({ seed, text }) => `Seed ${seed}: ${escaped(text).replace(/\n+/g, " / ")}`)].join("\n\n"));
}

const quote = (text: string): string => text.split("\n").map((line) => `> ${escaped(line)}`).join("\\\n");
const escaped = (text: string): string => text.replace(/([\\`*_<>#|])/g, "\\$1");

const logSchema = z.looseObject({ step: z.number(), heldOutBits: z.number().optional(), heldOutBitsAverage: z.number().optional() });

/** Held-out bits from log.jsonl; where the weights' running mean was measured too, both. */
export function readHeldOut(work: string): { step: number; bits: number; average: number | null }[] {
  const path = join(work, "log.jsonl");
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").flatMap((line) => {
    if (line === "") return [];
    const { step, heldOutBits, heldOutBitsAverage } = logSchema.parse(JSON.parse(line));
    return heldOutBits === undefined ? [] : [{ step, bits: heldOutBits, average: heldOutBitsAverage ?? null }];
  });
}
