/**
 * The recipe of the base model: everything that decides the result, read from a
 * JSON file, with what both training engines derive from it (which step belongs
 * to which phase, at what rate, on how many sequences). It says nothing about
 * how the work is done: engine, threads, folders. Terms: "Muon" is Keller
 * Jordan's (2024) as torch.optim.Muon has it; warm-up, stable, decay are those of
 * MiniCPM (Hu et al. 2024).
 *
 * A work folder holds: recipe.json (the recipe, whole), train.bin, held.bin,
 * forms_train.bin, forms_held.bin (uint16 tokens, little-endian, each document
 * ended by token 0), train.docs.json and held.docs.json, tokenizer.json,
 * order-{phase}.bin (which sequences each step takes, see order.ts), and what an
 * engine writes: checkpoint-{step}.safetensors, log.jsonl (see train.ts); and stages.json.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import "../../lib/zod";
import * as z from "zod";
import { DuctusError } from "../../lib/core/errors";

const count = z.int().positive();
const amount = z.int().nonnegative();
const rate = z.number().positive();
const share = z.number().min(0).max(1);

const modelSchema = z.strictObject({
  /** Rows of the embedding; the tokenizer has as many tokens. */
  vocabSize: count.max(65_536),
  hiddenSize: count,
  layers: count,
  heads: count,
  kvHeads: count,
  headDim: count,
  intermediateSize: count,
  ropeTheta: rate,
  rmsNormEps: rate,
  maxPositions: count,
  /** The output head is always the embedding. */
  tied: z.literal(true),
});

const tokenizerSchema = z.strictObject({
  /** A tokenizer.json to take as it is; null: that of init's folder, or without init one is made from the training part. */
  file: z.string().nullable(),
  preTokenizer: z.string().min(1),
  normalizer: z.literal("NFC"),
  /** Ids 0, 1, 2. */
  special: z.tuple([z.literal("<|endoftext|>"), z.literal("<|im_start|>"), z.literal("<|im_end|>")]),
  minFrequency: count,
  /** Characters of each book that the merges are learned from; other documents count whole. */
  charsPerBook: count,
});

const phaseSchema = z.strictObject({
  steps: amount,
  /** Share of the sequences of each step that are taken from the forms, rounded to whole sequences. */
  formsShare: share,
});

const recipeSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
    /** Everything random is drawn from it. */
    seed: amount,
    model: modelSchema,
    tokenizer: tokenizerSchema,
    /** Weights to go on from (a Hugging Face folder), and how many steps' data they have seen; null: drawn anew. */
    init: z.strictObject({ folder: z.string().min(1), seenSteps: amount }).nullable(),
    /** A document is held out where the SHA-256 of its source, modulo this, is 0. */
    heldOutModulo: count.min(2),
    /** Tokens predicted in a sequence: T inputs and T targets, from T + 1 tokens. */
    sequenceLength: count,
    /** A multiple of every sequence length × micro-batch. */
    tokensPerStep: count,
    /** Sequences computed at once; their gradients are summed to the step's mean over tokens. */
    microBatch: count,
    /** For the matrices of the blocks. Newton–Schulz in f32; the update is scaled by 0.2 · sqrt(max(rows, columns)). */
    muon: z.strictObject({
      lr: rate,
      momentum: share,
      /** Momentum rises linearly from `from` over so many steps of this run; null: none. */
      momentumWarmup: z.strictObject({ from: share, steps: count }).nullable().default(null),
      nesterov: z.literal(true),
      weightDecay: z.number().min(0),
      nsSteps: count,
      adjust: z.literal("match_rms_adamw"),
    }),
    /** AdamW for the embedding and the gains of the norms. */
    adam: z.strictObject({ lr: rate, beta1: share, beta2: share, eps: rate, weightDecay: z.number().min(0) }),
    /** Largest norm of all gradients together, before both optimizers. */
    clip: rate,
    /** loss = mean over tokens of (nll + zLoss · logsumexp(logits)²); 0: none. The log's loss is the nll alone. */
    zLoss: z.number().min(0),
    stable: phaseSchema.extend({
      /** The rate rises linearly over so many steps: (step + 1) / warmupSteps of it at step 0, 1, … of this run. */
      warmupSteps: amount,
    }),
    decay: phaseSchema.extend({
      /** How the rate falls to zero: along a line, as 1 − sqrt(share of the decay), or along half a period of a cosine. */
      shape: z.enum(["linear", "sqrt", "cosine"]).default("linear"),
    }),
    /** The last part of the decay, on longer sequences: the rate goes on falling through it to zero. */
    long: phaseSchema.extend({ sequenceLength: count, microBatch: count }),
    /** A running mean of the weights, kept beside them (mean · decay + weights · (1 − decay) after each step); null: none. */
    average: z.strictObject({ decay: share }).nullable().default(null),
    /** A checkpoint after each so many steps, and at the end of each phase. */
    checkpointSteps: count,
    /** Held-out bits per byte after each so many steps, and at the end of each phase. */
    evaluateSteps: count,
    /** Windows of sequenceLength spread evenly over held.bin: from token floor(i · (tokens − T − 1) / (windows − 1)), i = 0 … windows − 1. */
    evaluateWindows: count.min(2),
    forms: z.strictObject({
      trainTokens: count,
      heldTokens: count,
      /** How often an example is drawn from each kind of document; inside a kind every token is as likely. */
      kinds: z.record(z.enum(["book", "web", "chat", "dialogue"]), share),
      /** Of the passages of prose: asked for by "continue"; the others from key words. */
      continueShare: share,
      /** Of the passages from key words: of a sentence or two, not as long as the product cuts them. */
      shortShare: share,
      /** Of the passages of prose: begin anywhere, not at the beginning of a paragraph. */
      anywhereShare: share,
      /** Of the chats between many: all who wrote are in it, one of them answers; in the others only two, who speak to each other. */
      groupShare: share,
      /** How likely a text is written with each habit. */
      habits: z.strictObject({ lowerCase: share, noPunctuation: share, noApostrophes: share, typos: share, short: share, emoji: share, verse: share }),
    }),
  })
  .superRefine((recipe, context) => {
    const fault = (message: string): void => context.addIssue({ code: "custom", message });
    const { model, tokensPerStep } = recipe;
    if (model.heads % model.kvHeads !== 0) fault("heads must be a multiple of kvHeads");
    if (tokensPerStep % (recipe.sequenceLength * recipe.microBatch) !== 0) fault("tokensPerStep must be a multiple of sequenceLength × microBatch");
    if (tokensPerStep % (recipe.long.sequenceLength * recipe.long.microBatch) !== 0) fault("tokensPerStep must be a multiple of long.sequenceLength × long.microBatch");
    if (Math.max(recipe.sequenceLength, recipe.long.sequenceLength) > model.maxPositions) fault("a sequence is longer than maxPositions");
  });

export type Recipe = z.infer<typeof recipeSchema>;

/** In the order in which they are trained. Steps are counted through all of them, from 0. */
export const PHASES = ["stable", "decay", "long"] as const;
export type Phase = (typeof PHASES)[number];

/** Paths in it are meant from the recipe's own folder, and come back absolute. @throws DuctusError `file/unreadable` or `data/recipe` */
export function readRecipe(path: string): Recipe {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new DuctusError("file/unreadable", `The recipe ${path} cannot be read.`, "Name a recipe that is there.", { cause });
  }
  const recipe = parseRecipe(text);
  const from = (file: string): string => resolve(dirname(path), file);
  if (recipe.tokenizer.file !== null) recipe.tokenizer.file = from(recipe.tokenizer.file);
  if (recipe.init !== null) recipe.init.folder = from(recipe.init.folder);
  return recipe;
}

/** @throws DuctusError `data/recipe` */
export function parseRecipe(text: string): Recipe {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DuctusError("data/recipe", "The recipe is not JSON.", "Correct it and try again.", { cause });
  }
  const parsed = recipeSchema.safeParse(json);
  if (!parsed.success) throw new DuctusError("data/recipe", `The recipe cannot be used: ${z.prettifyError(parsed.error)}`, "Correct it and try again.");
  return parsed.data;
}

/** First step of a phase and the step after its last, counted through all phases. */
export function phaseSteps(recipe: Recipe, phase: Phase): { first: number; end: number } {
  const before = PHASES.slice(0, PHASES.indexOf(phase)).reduce((sum, name) => sum + recipe[name].steps, 0);
  return { first: before, end: before + recipe[phase].steps };
}

export const totalSteps = (recipe: Recipe): number => phaseSteps(recipe, "long").end;

/** What both learning rates are multiplied by at a step (from 0): warm-up, 1, then down to zero over decay and long together. */
export function rateFactor(recipe: Recipe, step: number): number {
  const { stable, decay, long } = recipe;
  if (step < stable.steps) return Math.min(1, (step + 1) / Math.max(1, stable.warmupSteps));
  const done = Math.min(1, (step - stable.steps) / (decay.steps + long.steps));
  switch (decay.shape) {
    case "linear":
      return 1 - done;
    case "sqrt":
      return 1 - Math.sqrt(done);
    case "cosine":
      return 0.5 * (1 + Math.cos(Math.PI * done));
    default:
      return decay.shape satisfies never;
  }
}

/** Muon's momentum at a step (from 0). */
export function momentumAt({ muon: { momentum, momentumWarmup } }: Recipe, step: number): number {
  if (!momentumWarmup) return momentum;
  return momentumWarmup.from + (momentum - momentumWarmup.from) * Math.min(1, step / momentumWarmup.steps);
}

/** Sequences of a phase: their length in predicted tokens, how many are computed at once and in a step, and how many of these come from the forms. */
export function phaseShape(recipe: Recipe, phase: Phase): { sequenceLength: number; microBatch: number; sequences: number; fromForms: number } {
  const { sequenceLength, microBatch } = phase === "long" ? recipe.long : recipe;
  const sequences = recipe.tokensPerStep / sequenceLength;
  return { sequenceLength, microBatch, sequences, fromForms: Math.round(recipe[phase].formsShare * sequences) };
}
