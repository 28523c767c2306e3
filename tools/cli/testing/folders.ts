/** Tiny model and adapter folders in the real layout, and calls of the command line within the test's process. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Random } from "../../../lib/core/random";
import { CONFIG_FILE, peftConfigJson, peftSafetensors, WEIGHTS_FILE } from "../../../lib/train/adapter/peft";
import { writeSafetensors } from "../../../lib/train/adapter/safetensors";
import { toLoraAdapter } from "../../../lib/train/adapter/tensors";
import type { TrainedTokens } from "../../../lib/train/adapter/types";
import { parseModelConfig } from "../../../lib/train/model/config";
import type { LoraShape } from "../../../lib/train/model/lora";
import { weightShapes } from "../../../lib/train/model/weights";
import { PROJECTIONS } from "../../../lib/train/sft/config";
import { randomLora } from "../../../lib/train/testing/tiny";
import { main } from "../main";
import { jsonLine } from "../output";

export const embedded = fileURLToPath(new URL("../../../public/models/ductus-base", import.meta.url));

export const TINY_CONFIG = {
  architectures: ["Qwen3ForCausalLM"], model_type: "qwen3", vocab_size: 8192, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4,
  num_key_value_heads: 2, head_dim: 16, intermediate_size: 64, hidden_act: "silu", max_position_embeddings: 512, rms_norm_eps: 1e-6,
  rope_theta: 10_000, tie_word_embeddings: true, attention_bias: false, bos_token_id: null, eos_token_id: 2, pad_token_id: 0, torch_dtype: "float32",
};

/** Every parameter random and far from neutral, over the embedded model's vocabulary. */
export function writeTinyModel(folder: string, seed: number | string = 1, changes: Partial<typeof TINY_CONFIG> = {}): void {
  mkdirSync(folder, { recursive: true });
  const json = { ...TINY_CONFIG, ...changes };
  const random = new Random(`cli-model-${seed}`);
  const tensors = [...weightShapes(parseModelConfig(json))].map(([name, shape]) => {
    const value = () => name.includes("norm") ? (random.uniform() < 0.3 ? -1 : 1) * (0.6 + random.uniform()) : (2 * random.uniform() - 1) * (name.includes("embed") ? 0.5 : 1.7 / Math.sqrt(shape[1]!));
    return { name, shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, value) };
  });
  writeFileSync(join(folder, "model.safetensors"), writeSafetensors(tensors, { format: "pt" }));
  writeFileSync(join(folder, "config.json"), JSON.stringify(json));
  writeFileSync(join(folder, "generation_config.json"), JSON.stringify({ eos_token_id: [2, 0], pad_token_id: 0 }));
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) copyFileSync(join(embedded, name), join(folder, name));
}

/** Every A and B random. */
export function writeTinyAdapter(folder: string, seed: number | string = 1, lora: LoraShape = { rank: 3, alpha: 7, targetModules: PROJECTIONS }, changes: Partial<typeof TINY_CONFIG> = {}, tokens: TrainedTokens | null = null): void {
  mkdirSync(folder, { recursive: true });
  const config = parseModelConfig({ ...TINY_CONFIG, ...changes });
  const adapter = { ...toLoraAdapter(config, lora, randomLora(config, lora, `cli-${seed}`)), tokens };
  writeFileSync(join(folder, CONFIG_FILE), peftConfigJson(adapter, { name: "", createdAt: 0, modelId: "tiny", modelSha256: "" }));
  writeFileSync(join(folder, WEIGHTS_FILE), peftSafetensors(adapter, {}));
}

export interface Call {
  code: number;
  stdout: string;
  stderr: string;
  /** Standard output, line by line. */
  lines: unknown[];
  /** Of the line that a failed command ends with. */
  error?: { code: string; message: string; nextStep?: string; details?: string };
}

/** A command in this process. */
export async function call(...args: string[]): Promise<Call> {
  let stdout = "", stderr = "";
  const write = async (text: string) => void (stdout += text);
  const code = await main(args, { write, line: (value) => write(`${stdout === "" || stdout.endsWith("\n") ? "" : "\n"}${jsonLine(value)}`), progress: (text) => void (stderr += `${text}\n`) });
  return readCall(code, stdout, stderr);
}

export function readCall(code: number, stdout: string, stderr: string): Call {
  const lines = stdout.startsWith("{") ? stdout.trimEnd().split("\n").map((line): unknown => JSON.parse(line)) : [];
  const last = lines.at(-1) as { error?: Call["error"] } | undefined;
  return { code, stdout, stderr, lines, ...(last?.error ? { error: last.error } : {}) };
}
