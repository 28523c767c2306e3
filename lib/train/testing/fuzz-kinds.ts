/**
 * The kinds of files that are damaged (models in one file, in shards, by their
 * index, config and tokenizer; quantised models; adapters as folder and as one
 * file): a valid one of each, how it is damaged, and what must come of it. A
 * damaged file is refused with a DuctusError of a known code, or read to
 * exactly what an independent reader finds in it. Never part of the product.
 */
import { Random } from "../../core/random";
import { openAdapter, packAdapter, zipPeft } from "../adapter/file";
import { adapterToPeft } from "../adapter/peft";
import { toLoraAdapter } from "../adapter/tensors";
import type { AdapterInfo, LoraAdapter } from "../adapter/types";
import { parseModelConfig } from "../model/config";
import type { ModelFiles } from "../model/files";
import { scoringGraph } from "../model/graphs";
import { layerTensors } from "../model/groups";
import { writeHeldModel } from "../model/held-file";
import { openModelFiles } from "../model/load";
import { adapterShapes } from "../model/lora";
import { dequantize, hold, storageFor } from "../model/quantize";
import { loadHeldWeights, weightShapes } from "../model/weights";
import { memoryModel } from "../model/files";
import { concat, encodeTensor, exactWeights, safetensorsFile, shardedFiles, type RawTensor } from "./checkpoint";
import { damageBytes, damageJson, damageSafetensors } from "./fuzz";
import { damageForm, damageIndex } from "./fuzz-layout";
import { trueQuantized, trueTensors, trueValues, type TrueTensor } from "./fuzz-truth";
import { tinyTokenizer } from "./tiny-tokenizer";

export type Files = Record<string, Uint8Array>;

export interface FuzzKind {
  name: string;
  /** A valid one. */
  make(): Promise<Files>;
  damage(files: Files, random: Random): void;
  /** What the product gets of it, where that is something else: the archive of a folder. */
  given?(files: Files): Files;
  /** Opens what is given as the product does. @returns what compares it with the truth; throws where it is not the same */
  open(given: Files, open: (files: Files) => ModelFiles, random: Random, files: Files): Promise<() => void>;
  /** Codes of refusals that are its own. */
  codes: readonly string[];
}

const CONFIG = {
  architectures: ["Qwen2ForCausalLM"], model_type: "qwen2", vocab_size: 288, hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1, intermediate_size: 64,
  hidden_act: "silu", max_position_embeddings: 128, rms_norm_eps: 1e-6, rope_theta: 10000, tie_word_embeddings: true, use_sliding_window: false, sliding_window: 4096, eos_token_id: 257,
  torch_dtype: "bfloat16", rope_parameters: { rope_type: "default", rope_theta: 10000 },
};
const config = parseModelConfig(CONFIG);
const weights = exactWeights(config, "fuzz");
const utf8 = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));
const raw = (dtype: RawTensor["dtype"]) => [...weights].map(([name, tensor]) => encodeTensor(name, tensor, dtype));
const INDEX = "model.safetensors.index.json";
const WEIGHTS = "model.safetensors";

const settings = (): Files => {
  const { tokenizerJson, tokenizerConfig } = tinyTokenizer();
  return { "config.json": utf8(CONFIG), "generation_config.json": utf8({ eos_token_id: [257, 256], temperature: 0.7 }), "tokenizer.json": utf8(tokenizerJson), "tokenizer_config.json": utf8(tokenizerConfig) };
};
const bytesOf = (files: Record<string, Uint8Array | string>): Files => Object.fromEntries(Object.entries(files).map(([name, content]) => [name, typeof content === "string" ? new TextEncoder().encode(content) : content]));

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`read wrongly: ${what}`);
}

function same(found: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  check(found.length === expected.length, `${what} has ${found.length} values, not ${expected.length}`);
  for (let i = 0; i < found.length; i++) check(Object.is(found[i], expected[i]) || found[i] === expected[i], `${what}[${i}] is ${found[i]}, not ${expected[i]}`);
}

/** All tensors of a folder, each from the file that its index names. */
function trueCheckpoint(files: Files): Map<string, TrueTensor> {
  if (files[WEIGHTS]) return trueTensors(files[WEIGHTS]).tensors;
  const { weight_map: map } = JSON.parse(new TextDecoder().decode(files[INDEX])) as { weight_map: Record<string, string> };
  return new Map(Object.entries(map).map(([name, file]) => [name, trueTensors(files[file]!).tensors.get(name)!]));
}

/** The last one has every byte that can be in a text. */
const TEXTS = ["", "plain words, and more", "a\n\n  b\t<|im_end|> c", String.fromCodePoint(...Array.from({ length: 0x800 }, (_, i) => i), 0x1000, 0x2028, 0x3042, 0x4e00, 0x5b57, 0x6587, 0x7530, 0x8a9e, 0x9999, 0xac00, 0xb098, 0xc0ac, 0xd55c, 0xe000, 0xffee, 0x1f642, 0x40000, 0x80000, 0xc0000, 0x10ffff).normalize("NFC")];

const modelCodes = ["model/config", "model/unsupported", "model/tokenizer", "model/tensors", "model/damaged", "model/not-safetensors", "model/number-type", "model/index", "model/missing-file", "model/range", "model/newer"];

async function openModel(files: Files, open: (files: Files) => ModelFiles, random: Random): Promise<() => void> {
  const narrow = random.int(2) === 0;
  const options = narrow ? ({ matrices: "q4", embedding: "f16" } as const) : ({ matrices: "f32", embedding: "f32" } as const);
  const model = await openModelFiles(open(files), options);
  return () => {
    const json = JSON.parse(new TextDecoder().decode(files["config.json"])) as Record<string, unknown>;
    const { hiddenSize, numLayers, numHeads, vocabSize, intermediateSize } = model.config;
    same([hiddenSize, numLayers, numHeads, vocabSize, intermediateSize], ["hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "intermediate_size"].map((key) => json[key] as number), "config");
    const truth = trueCheckpoint(files);
    const shapes = weightShapes(model.config);
    check(shapes.size === model.weights.size, "another number of tensors");
    for (const [name, shape] of shapes) {
      const tensor = model.weights.get(name)!, expected = truth.get(name)!;
      same(tensor.shape, shape, `shape of ${name}`);
      if (expected.dtype === "U8") {
        const values = trueQuantized(expected, truth.get(`${name}.scales`)!);
        check(values.every(Number.isFinite), `${name} is not finite`);
        same(dequantize(tensor), values, name);
      } else {
        same(expected.shape, shape, `true shape of ${name}`);
        const values = Float32Array.from(trueValues(expected));
        check(values.every(Number.isFinite), `${name} is not finite`);
        const storage = storageFor(shape, name.includes("embed_tokens") ? options.embedding : options.matrices);
        same(dequantize(tensor), dequantize(hold(values, shape, storage)), name);
      }
    }
    const formsOf = (layer: number) => [...layerTensors(model.config, model.weights, layer).values()].map(({ storage }) => storage).join();
    for (let layer = 1; layer < numLayers; layer++) check(formsOf(layer) === formsOf(0), `layer ${layer} is held in another form than the first`);
    scoringGraph(model.config, null, model.weights, { maxPositions: 4 }); // what is accepted can be put together
    const harmless = /^(lm_head\.weight|model\.rotary_emb\.inv_freq)$/;
    for (const [name, tensor] of truth) {
      check((tensor as TrueTensor | undefined) !== undefined, `${name} is listed and is nowhere`);
      const owner = name.replace(/\.scales$/, "");
      check(shapes.has(name) || harmless.test(name) || truth.get(owner)?.dtype === "U8", `${name} was ignored`);
    }
    const { model: { vocab }, added_tokens: added } = JSON.parse(new TextDecoder().decode(files["tokenizer.json"])) as { model: { vocab: Record<string, number> }; added_tokens: { id: number; content: string }[] };
    const tokens = new Map([...Object.entries(vocab), ...added.map(({ content, id }) => [content, id] as const)]);
    check(new Set(tokens.values()).size === tokens.size, "two tokens have the same id");
    const { tokenizer } = model;
    check(tokenizer.vocabSize <= model.config.vocabSize, "the tokenizer's vocabulary");
    for (const one of TEXTS) {
      const ids = tokenizer.encode(one);
      check(ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabSize && !tokenizer.specialIds.has(id)), `ids ${ids.join()}`);
      check(tokenizer.decode(ids) === one, `“${one}” comes back as “${tokenizer.decode(ids)}”`);
    }
  };
}

function modelKind(name: string, make: () => Files | Promise<Files>, damage: FuzzKind["damage"]): FuzzKind {
  return { name, make: async () => ({ ...settings(), ...(await make()) }), damage, open: openModel, codes: modelCodes };
}

const damageFile = (how: (bytes: Uint8Array, random: Random) => Uint8Array, ...names: string[]): FuzzKind["damage"] => (files, random) => {
  const name = random.pick(names);
  files[name] = how(files[name]!, random);
};

/** An index: its values by their meaning, or as any JSON. */
function damageListed(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.int(2) === 0) return damageJson(bytes, random);
  try {
    return damageIndex(bytes, random);
  } catch {
    return damageJson(bytes, random); // damaged before
  }
}

/** A quantised file: at times with one tensor in another form, else as any other. */
function damageHeld(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.int(5) > 0) return damageSafetensors(bytes, random);
  try {
    return damageForm(bytes, random);
  } catch {
    return damageSafetensors(bytes, random); // damaged before
  }
}

async function heldFile(): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const held = await loadHeldWeights(config, memoryModel({ [WEIGHTS]: safetensorsFile(raw("BF16")) }), { matrices: "q4", embedding: "q8" });
  await writeHeldModel(held, "ab".repeat(32), (part) => void parts.push(part.slice()));
  return concat(parts);
}

const LORA = { rank: 3, alpha: 6, targetModules: ["q_proj", "v_proj", "down_proj"] } as const;
const INFO: AdapterInfo = { name: "Fuzz", createdAt: 1_790_000_000_000, modelId: "tiny", modelSha256: "cd".repeat(32), steps: 3, trainTokens: 40 };
const BASE = { id: "tiny", name: "Tiny", sha256: INFO.modelSha256, config };
const PREFIX = "base_model.model.model.";

function adapter(): LoraAdapter {
  const random = new Random("fuzz adapter");
  const draw = (length: number) => Float32Array.from({ length }, () => (random.int(255) - 127) / 64);
  const lora = toLoraAdapter(config, LORA, new Map([...adapterShapes(config, LORA)].map(([name, [rows, columns]]) => [name, draw(rows * columns)])));
  return { ...lora, tokens: { ids: [3, 260], rows: draw(2 * config.hiddenSize), headRows: null } };
}

function compareAdapter(found: LoraAdapter, configJson: string, file: Uint8Array): void {
  const json = JSON.parse(configJson) as { r: number; lora_alpha: number; use_rslora?: boolean; trainable_token_indices?: number[] | { embed_tokens: number[] } | null };
  const { tensors } = trueTensors(file);
  same([found.rank, found.alpha, Number(found.useRslora)], [json.r, json.lora_alpha, Number(json.use_rslora ?? false)], "settings");
  for (const [key, { shape, data }] of found.tensors) {
    const expected = tensors.get(`${PREFIX}${key}.weight`)!;
    same(shape, expected.shape, `shape of ${key}`);
    same(data, trueValues(expected), key);
    check(data.every(Number.isFinite), `${key} is not finite`);
    tensors.delete(`${PREFIX}${key}.weight`);
  }
  const { trainable_token_indices: given } = json;
  const ids = given == null ? [] : Array.isArray(given) ? given : given.embed_tokens;
  same(found.tokens?.ids ?? [], ids, "trained tokens");
  check(new Set(ids).size === ids.length, "a token is trained twice");
  check(tensors.size === (ids.length > 0 ? 1 : 0), `“${[...tensors.keys()].join()}” was ignored`);
  if (found.tokens) same(found.tokens.rows, trueValues([...tensors.values()][0]!), "trained rows");
}

const settingsText = (files: Files) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(files["adapter_config.json"]);

const adapterCodes = ["adapter/config", "adapter/unsupported", "adapter/shapes", "adapter/damaged", "adapter/number-type", "adapter/not-safetensors"];

export const KINDS: readonly FuzzKind[] = [
  modelKind("single", () => ({ [WEIGHTS]: safetensorsFile(raw("BF16")) }), damageFile(damageSafetensors, WEIGHTS)),
  modelKind("index", () => bytesOf(shardedFiles(raw("F32"), 3)), damageFile(damageListed, INDEX)),
  modelKind("sharded", () => bytesOf(shardedFiles(raw("F16"), 2)), damageFile(damageSafetensors, "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")),
  modelKind("held", async () => ({ [WEIGHTS]: await heldFile() }), damageFile(damageHeld, WEIGHTS)),
  modelKind("config", () => ({ [WEIGHTS]: safetensorsFile(raw("F16")) }), damageFile(damageJson, "config.json", "config.json", "config.json", "generation_config.json")),
  modelKind("tokenizer", () => ({ [WEIGHTS]: safetensorsFile(raw("BF16")) }), damageFile(damageJson, "tokenizer.json", "tokenizer.json", "tokenizer.json", "tokenizer_config.json")),
  {
    name: "adapter folder",
    make: () => {
      const folder = adapterToPeft(adapter(), INFO);
      return Promise.resolve({ "adapter_config.json": new TextEncoder().encode(folder["adapter_config.json"]), "adapter_model.safetensors": folder["adapter_model.safetensors"] });
    },
    damage: (files, random) => {
      if (random.int(4) === 0) files["zip"] = Uint8Array.of(random.int(256)); // the archive around them, when it is made
      else if (random.int(2) === 0) damageFile(damageJson, "adapter_config.json")(files, random);
      else damageFile(damageSafetensors, "adapter_model.safetensors")(files, random);
    },
    given: (files) => {
      const zip = zipPeft({ "adapter_config.json": settingsText(files), "adapter_model.safetensors": files["adapter_model.safetensors"]!, "README.md": "" });
      return { zip: files["zip"] ? damageBytes(zip, new Random(`zip ${files["zip"][0]}`)) : zip };
    },
    open: ({ zip }, _, __, files) => {
      const opened = openAdapter(zip!, BASE);
      return Promise.resolve(() => compareAdapter(opened.adapter, settingsText(files), files["adapter_model.safetensors"]!));
    },
    codes: [...adapterCodes, "adapter/zip", "adapter/unknown-form"],
  },
  {
    name: "adapter file",
    make: () => Promise.resolve({ adapter: packAdapter(adapter(), INFO) }),
    damage: damageFile(damageSafetensors, "adapter"),
    open: (files) => {
      const opened = openAdapter(files["adapter"]!, BASE);
      return Promise.resolve(() => compareAdapter(opened.adapter, trueTensors(files["adapter"]!).notes["adapter_config"]!, files["adapter"]!));
    },
    codes: [...adapterCodes, "adapter/unknown-form", "adapter/no-settings", "adapter/newer", "adapter/other-model", "adapter/zip"],
  },
];
