/**
 * A run small enough for tests, with every part of a recipe in it: two layers, a
 * token a byte, 50 steps through all phases. Its text, and what PyTorch makes of
 * the run, are in tools/reference/data/pretraining.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../../../lib/core/random";
import { firstCheckpoint, type Checkpoint } from "../checkpoint";
import { orderFile, orderOf } from "../order";
import { parseRecipe, PHASES, type Recipe } from "../recipe";

/** A step of the kept run. */
export interface KeptStep {
  loss: number;
  gradientNorm: number;
  heldOutBits?: number;
  heldOutBitsAverage?: number;
}

export const keptUrl = (name: string) => new URL(`../../reference/data/pretraining/${name}`, import.meta.url);

type Changes = Partial<Record<keyof Recipe, unknown>>;

/** The real recipe in small. */
export function smallRecipe(changes: Changes = {}): Recipe {
  const whole = JSON.parse(readFileSync(new URL("../recipe.json", import.meta.url), "utf8")) as Record<keyof Recipe, Record<string, unknown>>;
  return parseRecipe(JSON.stringify({
    ...whole, seed: 3, init: null, sequenceLength: 32, tokensPerStep: 512, microBatch: 4, zLoss: 0.001, checkpointSteps: 10, evaluateSteps: 25, evaluateWindows: 10,
    model: { vocabSize: 257, hiddenSize: 32, layers: 2, heads: 4, kvHeads: 2, headDim: 8, intermediateSize: 48, ropeTheta: 10_000, rmsNormEps: 1e-6, maxPositions: 64, tied: true },
    muon: { ...whole.muon, lr: 0.02, weightDecay: 0.1, momentumWarmup: { from: 0.85, steps: 20 } },
    adam: { ...whole.adam, lr: 0.01, weightDecay: 0.01 },
    average: { decay: 0.9 },
    stable: { steps: 30, warmupSteps: 5, formsShare: 0 },
    decay: { steps: 15, formsShare: 0.25, shape: "sqrt" },
    long: { steps: 5, formsShare: 0.25, sequenceLength: 64, microBatch: 2 },
    ...changes,
  }));
}

/** Lays out a work folder as `prepare` and `forms` do; each paragraph is a document, each byte a token. */
export function writeWork(work: string, recipe: Recipe): void {
  mkdirSync(work, { recursive: true });
  const { vocabSize } = recipe.model;
  const documents = readFileSync(keptUrl("text.txt"), "utf8").trimEnd().split("\n\n").map((text) => {
    const bytes = new TextEncoder().encode(text);
    return { bytes: bytes.length, tokens: [...Array.from(bytes, (byte) => 1 + (byte % (vocabSize - 1))), 0] };
  });
  const parts = { held: documents.slice(0, 4), forms_train: documents.slice(4, 12), train: documents.slice(12) };
  for (const [name, part] of Object.entries(parts)) {
    writeFileSync(join(work, `${name}.bin`), new Uint8Array(Uint16Array.from(part.flatMap(({ tokens }) => tokens)).buffer));
    writeFileSync(join(work, `${name}.docs.json`), JSON.stringify(part.map(({ bytes, tokens }, i) => ({ kind: "book", source: `${name}-${i}`, bytes, tokens: tokens.length }))));
  }
  const count = (part: typeof documents) => part.reduce((sum, { tokens }) => sum + tokens.length, 0);
  for (const phase of PHASES) writeFileSync(join(work, orderFile(phase)), new Uint8Array(orderOf(recipe, phase, { train: count(parts.train), forms: count(parts.forms_train) }).buffer));
  writeFileSync(join(work, "recipe.json"), JSON.stringify(recipe));
}

/** The smallest recipe of all, whose gradients are few enough to be kept. */
export const tinyRecipe = (): Recipe => smallRecipe({
  zLoss: 0.05, average: null,
  model: { vocabSize: 64, hiddenSize: 16, layers: 2, heads: 2, kvHeads: 1, headDim: 8, intermediateSize: 24, ropeTheta: 10_000, rmsNormEps: 1e-5, maxPositions: 64, tied: true },
});

/** A first checkpoint with every number far from where it would begin: wider matrices, gains of either sign. */
export function spreadCheckpoint(recipe: Recipe): Checkpoint {
  const first = firstCheckpoint(recipe);
  const random = new Random("spread");
  for (const data of first.weights.values()) for (let i = 0; i < data.length; i++) data[i] = data[i] === 1 ? (random.uniform() < 0.5 ? -1 : 1) * (0.6 + 1.2 * random.uniform()) : 2 * data[i]!;
  return first;
}
