/** The embedded model against transformers in float64 (tools/reference/embedded.py): logits, greedy text, and rows that leave one another alone. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MODEL_FILE, readSafetensors, toFloat32 } from "../adapter/safetensors";
import { Generator, type GenerationRow } from "../generate/generator";
import { Session } from "../runtime/session";
import { openNode } from "../runtime/node";
import { promptFeeds } from "../testing/feeds";
import { flatWeights, referenceBytes, referenceJson } from "../testing/reference";
import { randomLora } from "../testing/tiny";
import { PROJECTIONS } from "../sft/config";
import { parseModelConfig, type ModelConfig } from "./config";
import { generationGraph } from "../generate/graphs";
import { createTokenizer } from "./tokenizer";

interface Prompt { name: string; text: string; ids: number[]; positions: number[]; logsumexp: number[]; last_logsumexp: number; greedy: number[]; greedy_text: string }
interface Reference { model_sha256: string; tokenizer_sha256: string; prompts: Prompt[] }

const folder = new URL("../../../public/models/ductus-base/", import.meta.url);
const bytes = (name: string) => readFileSync(new URL(name, folder));
const json = (name: string): unknown => JSON.parse(bytes(name).toString("utf8"));
const reference = referenceJson("embedded/prompts.json") as Reference;
const { prompts } = reference;
const backend = openNode();
const lora = { rank: 4, alpha: 8, targetModules: PROJECTIONS };
const GREEDY = { temperature: 0, topP: 1, maxNewTokens: 40, stopTokenIds: [] };
const TOLERANCE = 1e-3;

let config: ModelConfig;
let weights: Map<string, Float32Array>;
let generator: Generator;

beforeAll(async () => {
  config = parseModelConfig(json("config.json"));
  weights = flatWeights(config, new Uint8Array(bytes("model.safetensors")));
  generator = await Generator.create(backend, config, weights, lora, 256);
});
afterAll(() => generator.dispose());

const row = (prompt: Prompt, adapted = false): GenerationRow => ({ promptIds: prompt.ids, adapted, seed: 1 });

describe("the embedded model", () => {
  it("is the one the reference was made with", () => {
    for (const [file, expected] of [["model.safetensors", reference.model_sha256], ["tokenizer.json", reference.tokenizer_sha256]] as const) {
      expect(createHash("sha256").update(bytes(file)).digest("hex"), file).toBe(expected);
    }
  });

  it.each(prompts.map((p) => [p.name, p] as const))("logits: %s", async (name, prompt) => {
    const session = await Session.create(backend, generationGraph(config, null, weights, { maxPositions: 256 }));
    const seq = prompt.ids.length;
    const last = [...prompt.positions, seq - 1];
    const { logits } = await session.run(promptFeeds(config, weights, [{ ids: prompt.ids, promptLength: 1, documentId: "", completionBytes: 0 }], null, last));
    await session.dispose();
    const { tensors } = readSafetensors(referenceBytes("embedded/logits.safetensors"), MODEL_FILE);
    const vocab = config.vocabSize;
    const ours = (r: number) => (logits!.data as Float32Array).subarray(r * vocab, (r + 1) * vocab);
    const logSumExp = (values: Float32Array) => Math.log(values.reduce((sum, v) => sum + Math.exp(v), 0));

    const whole = toFloat32(tensors.get(`${name}.last`)!);
    let worst = 0;
    ours(prompt.positions.length).forEach((v, i) => (worst = Math.max(worst, Math.abs(v - whole[i]!))));
    expect(Math.abs(logSumExp(ours(prompt.positions.length)) - prompt.last_logsumexp)).toBeLessThan(TOLERANCE);
    const values = toFloat32(tensors.get(`${name}.top_values`)!);
    const ids = new Int32Array(tensors.get(`${name}.top_ids`)!.bytes.slice().buffer);
    expect(ids).toHaveLength(values.length);
    const top = values.length / prompt.positions.length;
    prompt.positions.forEach((_, p) => {
      for (let k = p * top; k < (p + 1) * top; k++) worst = Math.max(worst, Math.abs(ours(p)[ids[k]!]! - values[k]!));
      expect(Math.abs(logSumExp(ours(p)) - prompt.logsumexp[p]!)).toBeLessThan(TOLERANCE);
    });
    expect(worst).toBeLessThan(TOLERANCE);
    expect(worst).toBeGreaterThan(0); // f32 against float64: equality would mean that nothing was compared
  });

  it.each(prompts.map((p) => [p.name, p] as const))("greedy continuation alone: %s", async (_, prompt) => {
    const [out] = await generator.generate([row(prompt)], GREEDY);
    expect(out).toEqual({ tokens: prompt.greedy, stop: "length" });
    const tokenizer = createTokenizer(json("tokenizer.json"), json("tokenizer_config.json"));
    expect(tokenizer.decode(out!.tokens, { skipSpecial: false })).toBe(prompt.greedy_text);
    expect(tokenizer.encode(prompt.text, { allowSpecial: true })).toEqual(prompt.ids);
  });

  it("greedy continuation of the three, of three lengths, as one batch", async () => {
    expect(new Set(prompts.map((p) => p.ids.length)).size).toBe(3);
    const out = await generator.generate(prompts.map((p) => row(p)), GREEDY);
    expect(out.map((r) => r.tokens)).toEqual(prompts.map((p) => p.greedy));
  });

  it("base rows and adapted rows in one batch leave one another alone", async () => {
    const adapter = randomLora(config, lora, "embedded");
    const mixed = await generator.generate(prompts.flatMap((p) => [row(p), row(p, true)]), GREEDY, adapter);
    const alone = await Promise.all(prompts.map((p) => generator.generate([row(p, true)], GREEDY, adapter)));
    prompts.forEach((p, i) => {
      expect(mixed[2 * i]!.tokens, `${p.name}, base`).toEqual(p.greedy);
      expect(mixed[2 * i + 1]!.tokens, `${p.name}, adapted`).toEqual(alone[i]![0]!.tokens);
      expect(mixed[2 * i + 1]!.tokens).not.toEqual(p.greedy); // the adapter does something
    });
  });
});
