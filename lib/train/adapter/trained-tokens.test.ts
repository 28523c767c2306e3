import { describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import type { ModelConfig } from "../model/config";
import { info, randomAdapter, tinyModel } from "../testing/adapter";
import { fault } from "../testing/fault";
import { adapterFromPeft, adapterToPeft } from "./peft";
import { readSafetensors, toFloat32, writeSafetensors, type TensorToWrite } from "./safetensors";
import { flatAdapter, toLoraAdapter } from "./tensors";
import type { TrainedTokens } from "./types";

const adapter = randomAdapter(3);
const { vocabSize: vocab, hiddenSize: hidden } = tinyModel;
const untied: ModelConfig = { ...tinyModel, tieWordEmbeddings: false };
const random = new Random("trained-tokens");
const draw = (rows: number) => Float32Array.from({ length: rows * hidden }, () => random.normal()); // [rows, hidden]
const EMBEDDING = "base_model.model.model.embed_tokens";
const HEAD = "base_model.model.lm_head";
const DELTA = "token_adapter.trainable_tokens_delta";
const matrix = (name: string, data: Float32Array): TensorToWrite => ({ name, shape: [data.length / hidden, hidden], data });

/** The adapter's folder with these settings and tensors beside its own. */
function read(model: ModelConfig, settings: Record<string, unknown>, more: readonly TensorToWrite[]): TrainedTokens | null {
  const folder = adapterToPeft(adapter, info);
  const tensors = [...readSafetensors(folder["adapter_model.safetensors"]).tensors.values()].map((t) => ({ name: t.name, shape: t.shape, data: toFloat32(t) }));
  const config = { ...(JSON.parse(folder["adapter_config.json"]) as object), ...settings };
  return adapterFromPeft(JSON.stringify(config), writeSafetensors([...tensors, ...more]), model).tokens;
}

describe("rows of single tokens", () => {
  const rows = draw(3), headRows = draw(3);
  const ids = [65, 7, 64];

  it.each([["tied", tinyModel, null], ["untied", untied, headRows]] as const)("come back as they were written: %s", (_, model, head) => {
    const tokens = { ids, rows, headRows: head };
    const { "adapter_config.json": json, "adapter_model.safetensors": bytes, "README.md": card } = adapterToPeft({ ...adapter, tokens }, { ...info, addedTokens: [{ id: 65, content: "`<b>`\n" }, { id: 64, content: "a" }] });
    expect(adapterFromPeft(json, bytes, model)).toEqual({ ...adapter, tokens });
    expect((JSON.parse(json) as Record<string, unknown>)["trainable_token_indices"]).toEqual(head ? { embed_tokens: ids, lm_head: ids } : ids);
    expect(card).toContain("base.resize_token_embeddings(max(base.config.vocab_size, 66))\nmodel = ");
    expect(card).toContain('tokenizer.add_tokens(["a", "\\u0060<b>\\u0060\\n"], special_tokens=True)\n');
  });

  it("are read where the settings name them in another of PEFT's ways", () => {
    const tensor = matrix(`${EMBEDDING}.${DELTA}`, rows), head = matrix(`${HEAD}.${DELTA}`, headRows);
    expect(read(tinyModel, { trainable_token_indices: { "model.embed_tokens": ids } }, [tensor])).toEqual({ ids, rows, headRows: null });
    // A tied head may be named too; it follows the embedding, and PEFT writes nothing for it, or the same again.
    expect(read(tinyModel, { trainable_token_indices: { embed_tokens: ids, lm_head: ids }, ensure_weight_tying: true }, [tensor])).toEqual({ ids, rows, headRows: null });
    expect(read(tinyModel, { trainable_token_indices: ids }, [tensor, matrix(`${HEAD}.${DELTA}`, rows)])).toEqual({ ids, rows, headRows: null });
    // An untied head that is not named keeps its rows.
    expect(read(untied, { trainable_token_indices: [1, 7, 2] }, [tensor])).toEqual({ ids: [1, 7, 2], rows, headRows: null });
    expect(read(untied, { trainable_token_indices: { lm_head: ids, embed_tokens: ids } }, [tensor, head])).toEqual({ ids, rows, headRows });
    expect(read(tinyModel, { trainable_token_indices: [] }, [])).toBeNull();
    expect(read(tinyModel, { trainable_token_indices: {}, modules_to_save: [] }, [])).toBeNull();
  });

  const tensor = matrix(`${EMBEDDING}.${DELTA}`, rows), head = matrix(`${HEAD}.${DELTA}`, headRows);
  const cases: [string, ModelConfig, unknown, TensorToWrite[], string, RegExp][] = [
    ["no rows", tinyModel, ids, [], "adapter/shapes", /nothing for its trained tokens/],
    ["rows of no name", tinyModel, null, [tensor], "adapter/shapes", /do not name/],
    ["head rows of no name", untied, [1, 7, 2], [tensor, head], "adapter/shapes", /do not name/],
    ["a token twice", tinyModel, [7, 64, 7], [tensor], "adapter/shapes", /twice/],
    ["a gap behind the vocabulary", tinyModel, [66, 7, 64], [tensor], "adapter/shapes", /token 66 lies outside/],
    ["far outside", tinyModel, [2 ** 40, 7, 64], [tensor], "adapter/shapes", /lies outside/],
    ["fewer ids than rows", tinyModel, [7, 64], [tensor], "adapter/shapes", /names 2 trained tokens and holds 3/],
    ["another width", tinyModel, ids, [{ ...tensor, shape: [hidden, 3] }], "adapter/shapes", /model is 24 wide/],
    ["one dimension", tinyModel, ids, [{ ...tensor, shape: [3 * hidden] }], "adapter/shapes", /model is 24 wide/],
    ["NaN", tinyModel, ids, [matrix(tensor.name, rows.with(5, Number.NaN))], "adapter/damaged", /not a number/],
    ["new tokens that an untied head lacks", untied, ids, [tensor], "adapter/shapes", /nothing for them in the output head/],
    ["a named head without rows", untied, { embed_tokens: ids, lm_head: ids }, [tensor], "adapter/shapes", /in the output head/],
    ["a head with other rows than it is named", untied, { embed_tokens: ids, lm_head: ids }, [tensor, matrix(head.name, draw(2))], "adapter/shapes", /differ/],
    ["other tokens in the head", untied, { embed_tokens: ids, lm_head: [65, 64, 7] }, [tensor, head], "adapter/unsupported", /other tokens/],
    ["the head alone", untied, { lm_head: ids }, [head], "adapter/unsupported", /output head alone/],
    ["one matrix trained as two", tinyModel, { embed_tokens: ids, lm_head: ids }, [tensor, head], "adapter/unsupported", /one matrix for both/],
  ];
  it.each(cases)("are refused: %s", (_, model, indices, tensors, code, message) => {
    const error = fault(() => read(model, { trainable_token_indices: indices }, tensors));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
  });
});

describe("whole matrices", () => {
  const input = draw(vocab), output = draw(vocab), grown = draw(vocab + 2), grownHead = draw(vocab + 2);
  const every = (count: number) => Array.from({ length: count }, (_, id) => id);
  const saved = { modules_to_save: ["embed_tokens", "lm_head"] };

  it("are read as rows that are all trained, as PEFT's modules_to_save writes them", () => {
    expect(read(untied, saved, [matrix(`${EMBEDDING}.weight`, input), matrix(`${HEAD}.weight`, output)])).toEqual({ ids: every(vocab), rows: input, headRows: output });
    expect(read(untied, { modules_to_save: ["model.embed_tokens"] }, [matrix(`${EMBEDDING}.weight`, input)])).toEqual({ ids: every(vocab), rows: input, headRows: null });
    expect(read(tinyModel, saved, [matrix(`${EMBEDDING}.weight`, input), matrix(`${HEAD}.weight`, input)])).toEqual({ ids: every(vocab), rows: input, headRows: null });
    expect(read(tinyModel, { modules_to_save: ["embed_tokens"], ensure_weight_tying: true }, [matrix(`${EMBEDDING}.weight`, input)])?.rows).toEqual(input);
  });

  it("are read where PEFT saved them because the vocabulary grew, with the trained rows in their places", () => {
    const rows = draw(2), headRows = draw(2);
    const filled = grown.slice(), filledHead = grownHead.slice();
    filled.set(rows, vocab * hidden);
    filledHead.set(headRows, vocab * hidden);
    const beside = [matrix(`${EMBEDDING}.token_adapter.base_layer.weight`, grown), matrix(`${EMBEDDING}.${DELTA}`, rows)];
    const ids = [vocab, vocab + 1];
    expect(read(tinyModel, { trainable_token_indices: ids }, [...beside, matrix(`${HEAD}.token_adapter.base_layer.weight`, grown), matrix(`${HEAD}.${DELTA}`, rows)]))
      .toEqual({ ids: every(vocab + 2), rows: filled, headRows: null });
    expect(read(untied, { trainable_token_indices: ids }, [...beside, matrix(`${HEAD}.weight`, grownHead)])).toEqual({ ids: every(vocab + 2), rows: filled, headRows: grownHead });
    expect(read(untied, { trainable_token_indices: { embed_tokens: ids, lm_head: ids } }, [...beside, matrix(`${HEAD}.token_adapter.base_layer.weight`, grownHead), matrix(`${HEAD}.${DELTA}`, headRows)]))
      .toEqual({ ids: every(vocab + 2), rows: filled, headRows: filledHead });
  });

  const cases: [string, ModelConfig, Record<string, unknown>, TensorToWrite[], string, RegExp][] = [
    ["named but not there", untied, saved, [], "adapter/shapes", /missing/],
    ["the head alone", untied, { modules_to_save: ["lm_head"] }, [matrix(`${HEAD}.weight`, output)], "adapter/unsupported", /output head alone/],
    ["of a tied model, apart", tinyModel, saved, [matrix(`${EMBEDDING}.weight`, input), matrix(`${HEAD}.weight`, output)], "adapter/unsupported", /apart/],
    ["of a tied model, one of them", tinyModel, { modules_to_save: ["embed_tokens"] }, [matrix(`${EMBEDDING}.weight`, input)], "adapter/unsupported", /apart/],
    ["a smaller vocabulary", untied, saved, [matrix(`${EMBEDDING}.weight`, draw(3)), matrix(`${HEAD}.weight`, draw(3))], "adapter/shapes", /has 3 tokens/],
    ["a grown embedding without its head", untied, saved, [matrix(`${EMBEDDING}.weight`, grown)], "adapter/shapes", /differ in length/],
    ["rows of no name", tinyModel, {}, [matrix(`${EMBEDDING}.weight`, input), matrix(`${EMBEDDING}.${DELTA}`, draw(1))], "adapter/shapes", /not those/],
    ["rows outside", untied, { trainable_token_indices: [vocab] }, [matrix(`${EMBEDDING}.weight`, input), matrix(`${EMBEDDING}.${DELTA}`, draw(1))], "adapter/shapes", /lies outside/],
  ];
  it.each(cases)("are refused: %s", (_, model, settings, tensors, code, message) => {
    const error = fault(() => read(model, settings, tensors));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
  });

  it("are refused where they are large", () => {
    const rows = Math.ceil((1 << 24) / hidden) + 1;
    const error = fault(() => read({ ...untied, vocabSize: rows }, { modules_to_save: ["embed_tokens"] }, [matrix(`${EMBEDDING}.weight`, new Float32Array(rows * hidden))]));
    expect(error).toMatchObject({ code: "adapter/unsupported" });
    expect(error.message).toMatch(/too large/);
  });
});

it("the flat form holds the rows, and comes back", () => {
  const tokens = { ids: [3, 64], rows: draw(2), headRows: draw(2) };
  const flat = flatAdapter({ ...adapter, tokens });
  expect(flat.get("tokens")).toBe(tokens.rows);
  expect(flat.get("tokens.head")).toBe(tokens.headRows);
  expect(toLoraAdapter(untied, adapter, flat, [3, 64])).toEqual({ ...adapter, tokens });
  expect(toLoraAdapter(tinyModel, adapter, flatAdapter(adapter))).toEqual(adapter);
});
