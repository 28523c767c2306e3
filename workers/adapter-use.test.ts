import { describe, expect, it } from "vitest";
import { DuctusError } from "../lib/core/errors";
import { openAdapter, packAdapter } from "../lib/train/adapter/file";
import type { LoraAdapter } from "../lib/train/adapter/types";
import { openExecution } from "../lib/train/execution/open";
import { Generator } from "../lib/train/generate/generator";
import { baseTokenRows } from "../lib/train/model/added-tokens";
import { createTokenizer } from "../lib/train/model/tokenizer";
import { openNode } from "../lib/train/runtime/node";
import { collate } from "../lib/train/sft/batch";
import { ourTokenAdapter, OUR_TOKENS, tokenInfoOf, type TokenModel } from "../lib/train/testing/ours";
import { referenceModel } from "../lib/train/testing/reference";
import { tinyTokenizer } from "../lib/train/testing/tiny-tokenizer";
import { withTrainedTokens } from "../tools/cli/model-folder";
import { adapterTensors, fitAdapter, shapeKey, tokenizerFor } from "./adapter-use";

const backend = openNode();
const tokenizer = createTokenizer(tinyTokenizer().tokenizerJson, tinyTokenizer().tokenizerConfig);

describe.each(Object.keys(OUR_TOKENS) as TokenModel[])("an adapter with trained tokens, %s", (name) => {
  const { config, weights } = referenceModel(name);
  const model = { config, weights, tokenizer };
  const adapter = ourTokenAdapter(name);
  const tokens = adapter.tokens!;

  /** As PEFT stores it where the vocabulary is saved as a whole: every row, most of them the model's own. */
  function whole(): LoraAdapter {
    const ids = Array.from({ length: 1 + Math.max(config.vocabSize - 1, ...tokens.ids) }, (_, id) => id);
    const base = baseTokenRows(config, weights, ids);
    const fill = (own: Float32Array, rows: Float32Array) => {
      tokens.ids.forEach((id, i) => own.set(rows.subarray(i * config.hiddenSize, (i + 1) * config.hiddenSize), id * config.hiddenSize));
      return own;
    };
    return { ...adapter, tokens: { ids, rows: fill(base.rows, tokens.rows), headRows: base.headRows && fill(base.headRows, tokens.headRows!) } };
  }

  it("keeps the rows that were trained, and the names that are new", () => {
    const known = { id: tokenizer.eosTokenId, content: "<|im_end|>" };
    const named = tokens.ids.map((id) => ({ id, content: `<${id}>` }));
    const fitted = fitAdapter(model, { adapter: whole(), addedTokens: [...named, known, { id: 5, content: "<unchanged>" }] });
    expect(fitted.addedTokens).toEqual(named);
    const order = [...tokens.ids].sort((a, b) => a - b);
    expect(fitted.adapter.tokens!.ids).toEqual(order);
    order.forEach((id, i) => {
      const row = (rows: Float32Array, at: number) => rows.slice(at * config.hiddenSize, (at + 1) * config.hiddenSize);
      expect(row(fitted.adapter.tokens!.rows, i)).toEqual(row(tokens.rows, tokens.ids.indexOf(id)));
    });
    // The file that is stored holds no more than that, and can be opened again.
    const info = { ...tokenInfoOf(name), addedTokens: fitted.addedTokens };
    const bytes = packAdapter(fitted.adapter, info);
    expect(openAdapter(bytes, { id: name, name, sha256: info.modelSha256, config }).adapter.tokens).toEqual(fitted.adapter.tokens);
    expect(fitAdapter(model, { adapter: { ...adapter, tokens: { ids: [3], ...baseTokenRows(config, weights, [3]) } }, addedTokens: [] }).adapter.tokens).toBeNull();
  });

  it("is written with and scored with as on a model that has those rows in its own matrices", async () => {
    const placed = withTrainedTokens(config, new Map([...weights].map(([key, data]) => [key, { storage: "f32" as const, shape: data.length === config.vocabSize * config.hiddenSize ? [config.vocabSize, config.hiddenSize] : [data.length], data }])), adapter);
    const promptIds = [3, tokens.ids[0]!, 11, tokens.ids[1]!];
    const write = async (open: Promise<Generator>, tensors: ReadonlyMap<string, Float32Array>) => {
      const generator = await open;
      const rows = await generator.generate([{ promptIds, adapted: true, seed: 1 }], { temperature: 0, topP: 1, maxNewTokens: 12, stopTokenIds: [], logProbs: true }, tensors);
      await generator.dispose();
      return rows[0]!;
    };
    const expected = await write(Generator.create(backend, placed.config, placed.weights, placed.adapter, 64), adapterTensors(placed, placed.adapter));
    for (const execution of ["whole", "streamed"] as const) {
      const ours = await write(Generator.create(backend, config, weights, adapter, 64, { execution, tokens: tokens.ids }), adapterTensors(model, adapter));
      expect(ours.tokens).toEqual(expected.tokens);
      ours.logProbs!.forEach(({ model: own }, i) => expect(own).toBeCloseTo(expected.logProbs![i]!.model, 4));
    }
    const examples = [{ ids: [...promptIds, 9, tokens.ids[0]!, 5], promptLength: 3, documentId: "", completionBytes: 4 }];
    const score = async (on: typeof placed | { config: typeof config; weights: typeof weights; adapter: LoraAdapter }, ids: readonly number[]) => {
      const execution = await openExecution(backend, on, { lora: on.adapter, dropout: 0, maxPositions: 64, tokens: ids });
      const nll = await execution.score(collate(examples), adapterTensors(on, on.adapter));
      await execution.dispose();
      return [...nll];
    };
    const theirs = await score(placed, []);
    (await score({ config, weights, adapter }, tokens.ids)).forEach((nll, i) => expect(nll).toBeCloseTo(theirs[i]!, 4));
  });

  it("takes the model's own head where an untied model's adapter left it alone", () => {
    const inside = tokens.ids.find((id) => id < config.vocabSize)!;
    const bare = { ...adapter, tokens: { ids: [inside], rows: new Float32Array(config.hiddenSize).fill(1), headRows: null } };
    expect(adapterTensors(model, bare).get("tokens.head")).toEqual(baseTokenRows(config, weights, [inside]).headRows ?? undefined);
  });
});

describe("tokenizerFor", () => {
  const model = { tokenizer, tokenizerFiles: () => Promise.resolve(tinyTokenizer()) };
  it("knows the adapter's tokens, and is the model's own without any", async () => {
    expect(await tokenizerFor(model, [])).toBe(tokenizer);
    const extended = await tokenizerFor(model, [{ id: 300, content: "<aside>" }]);
    expect(extended.tokenId("<aside>")).toBe(300);
    expect(extended.decode([104, 300, 105])).toBe(tokenizer.decode([104, 105]));
    expect(extended.encode("<aside>")).toEqual(tokenizer.encode("<aside>")); // what a person writes is text
  });
  it("refuses one whose places are taken, in words", async () => {
    for (const token of [{ id: 257, content: "<aside>" }, { id: 300, content: "<|im_end|>" }]) {
      const error: unknown = await tokenizerFor(model, [token]).catch((fault: unknown) => fault);
      expect(error).toBeInstanceOf(DuctusError);
      expect(error).toMatchObject({ code: "adapter/other-tokens", next: expect.stringMatching(/\.$/) as string });
    }
  });
});

describe("shapeKey", () => {
  it("differs where a generator cannot be shared", () => {
    const adapter = { ...ourTokenAdapter("llama3-tied"), tokens: null };
    const keys = [adapter, { ...adapter, useRslora: false }, { ...adapter, rank: 4 }, { ...adapter, targetModules: ["q_proj" as const] }, ourTokenAdapter("llama3-tied")].map(shapeKey);
    expect(new Set(keys).size).toBe(keys.length);
    expect(shapeKey({ ...adapter, targetModules: [...adapter.targetModules].reverse() })).toBe(keys[0]);
  });
});
