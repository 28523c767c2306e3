import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fault } from "../testing/fault";
import { referenceJson, referenceModel } from "../testing/reference";
import { asHeld } from "../testing/held";
import { baseTokenRows, dropUnchangedRows, extendTokenizer, initialTokenRows, planAddedTokens, remapTargets, withHeadRows, type TokenizerFiles } from "./added-tokens";
import { parseModelConfig } from "./config";
import { dequantize } from "./quantize";
import { createTokenizer } from "./tokenizer";

const embedded = (name: string): unknown => JSON.parse(readFileSync(new URL(`../../../public/models/ductus-base/${name}`, import.meta.url), "utf8"));
const files: TokenizerFiles = { tokenizerJson: embedded("tokenizer.json"), tokenizerConfig: embedded("tokenizer_config.json") };
const config = parseModelConfig(embedded("config.json"));
const expected = referenceJson("added-tokens/tokenizer.json") as { tokens: string[]; ids: number[]; length: number; texts: { text: string; ids: number[] }[] };

/** A tokenizer of three words and one special token, for a model with rows to spare. */
const small = (changes: Record<string, unknown> = {}): TokenizerFiles => ({
  tokenizerJson: { version: "1.0", added_tokens: [{ id: 3, content: "<|end|>", special: true }], model: { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"] }, ...changes },
  tokenizerConfig: { eos_token: "<|end|>", added_tokens_decoder: { "3": { content: "<|end|>", special: true } } },
});
const spare = { ...config, vocabSize: 6 };

describe("planAddedTokens", () => {
  it("gives the ids, and a tokenizer that encodes, as transformers does", () => {
    const plan = planAddedTokens(config, files, expected.tokens);
    expect(plan.ids).toEqual(expected.ids);
    expect(plan.vocabSize).toBe(expected.length);
    expect(plan.added.map(({ id }) => id)).toEqual([8192, 8193]);
    const tokenizer = createTokenizer(plan.files.tokenizerJson, plan.files.tokenizerConfig);
    expect(tokenizer.vocabSize).toBe(expected.length);
    for (const { text, ids } of expected.texts) {
      expect(tokenizer.encode(text, { allowSpecial: true }), text).toEqual(ids);
      expect(tokenizer.decode(ids, { skipSpecial: false })).toBe(text);
    }
    // What a person wrote is never made into one of them.
    expect(tokenizer.encode("a <|aside|> b")).toEqual(createTokenizer(files.tokenizerJson, files.tokenizerConfig).encode("a <|aside|> b"));
  });

  it("does not change what it is given, and finds all in its own files again", () => {
    const before = JSON.stringify(files);
    const plan = planAddedTokens(config, files, expected.tokens);
    expect(JSON.stringify(files)).toBe(before);
    const again = planAddedTokens(config, plan.files, expected.tokens);
    expect(again).toEqual({ ...plan, added: [] });
  });

  it("fills the rows that the model has to spare, then goes beyond them", () => {
    const plan = planAddedTokens(spare, small(), ["<x>", "<|end|>", "<y>"]);
    expect(plan).toMatchObject({ ids: [4, 3, 5], vocabSize: 6, added: [{ id: 4, content: "<x>" }, { id: 5, content: "<y>" }] });
    expect(planAddedTokens(spare, small(), ["<x>", "<y>", "<z>"])).toMatchObject({ ids: [4, 5, 6], vocabSize: 7 });
    expect(plan.files.tokenizerJson).toMatchObject({ version: "1.0", added_tokens: [{ id: 3 }, { id: 4, content: "<x>", special: true, normalized: false, lstrip: false }, { id: 5 }] });
    expect(Object.keys((plan.files.tokenizerConfig as { added_tokens_decoder: object }).added_tokens_decoder)).toEqual(["3", "4", "5"]);
  });

  it.each<[string, string[], RegExp]>([
    ["none", [], /between 1 and 1000/],
    ["too many", Array.from({ length: 1001 }, (_, i) => `<${i}>`), /between 1 and 1000/],
    ["an empty one", [""], /empty/],
    ["a space at its end", ["<x> "], /space/],
    ["one given twice", ["<x>", "<x>"], /twice/],
    ["a long one", ["x".repeat(201)], /too long/],
    ["half a character", ["<\ud83d>"], /not text/],
  ])("refuses %s", (_, tokens, message) => {
    const error = fault(() => planAddedTokens(spare, small(), tokens));
    expect(error.code).toBe("model/added-tokens");
    expect(error.message).toMatch(message);
  });

  it("refuses a tokenizer that is larger than its model, or not readable", () => {
    expect(fault(() => planAddedTokens({ ...config, vocabSize: 3 }, small(), ["<x>"])).message).toMatch(/the model, with 3 rows, has none/);
    expect(planAddedTokens({ ...config, vocabSize: 3 }, small(), ["<x>", "<|end|>"])).toMatchObject({ ids: [4, 3], vocabSize: 5 });
    for (const json of [null, {}, { added_tokens: [], model: { vocab: { a: -1 } } }, { added_tokens: [{ id: 0 }], model: { vocab: {} } }]) {
      expect(fault(() => planAddedTokens(spare, { ...small(), tokenizerJson: json }, ["<x>"])).code).toBe("model/tokenizer");
    }
  });
});

describe("extendTokenizer", () => {
  it("takes the tokens that an adapter names, known ones too", () => {
    const extended = extendTokenizer(small(), [{ id: 5, content: "<y>" }, { id: 3, content: "<|end|>" }]);
    expect(extended).toMatchObject({ tokenizerJson: { added_tokens: [{ id: 3 }, { id: 5, content: "<y>" }] } });
    expect(extendTokenizer(extended, [{ id: 5, content: "<y>" }])).toEqual(extended);
  });

  it.each([[{ id: 3, content: "<y>" }], [{ id: 1, content: "<y>" }], [{ id: 9, content: "<|end|>" }], [{ id: 9, content: "ab" }]])("refuses %j, whose place or name is taken", (token) => {
    expect(fault(() => extendTokenizer(small(), [token])).code).toBe("model/added-tokens");
  });

  it("refuses two of one id", () => {
    expect(fault(() => extendTokenizer(small(), [{ id: 5, content: "<x>" }, { id: 5, content: "<y>" }])).code).toBe("model/added-tokens");
  });
});

describe.each(["qwen2-tied", "qwen3-untied"])("rows to start from: %s", (name) => {
  const { config, weights } = referenceModel(name);
  const { hiddenSize: width, vocabSize: vocab } = config;
  const table = weights.get("model.embed_tokens.weight")!;
  const row = (data: Float32Array, i: number) => [...data.subarray(i * width, (i + 1) * width)];
  const mean = Array.from({ length: width }, (_, k) => {
    let sum = 0;
    for (let id = 0; id < vocab; id++) sum += table[id * width + k]!;
    return sum / vocab;
  });

  it("known tokens keep their rows; new ones are near the mean, no two alike, the same for a seed", () => {
    const ids = [vocab + 1, 7, vocab, 9];
    const start = initialTokenRows(config, weights, ids, new Set([9]), 1);
    expect(row(start.rows, 1)).toEqual(row(table, 7));
    for (const i of [0, 2, 3]) {
      row(start.rows, i).forEach((value, k) => expect(Math.abs(value - mean[k]!)).toBeLessThan(1e-4)); // 3e-5 of a deviation of about 0.3
      expect(row(start.rows, i)).not.toEqual(row(start.rows, (i + 2) % 4));
      expect(row(start.rows, i)).not.toEqual(mean.map(Math.fround));
    }
    expect(start.headRows === null).toBe(config.tieWordEmbeddings);
    if (start.headRows) {
      expect(row(start.headRows, 1)).toEqual(row(weights.get("lm_head.weight")!, 7));
      expect(row(start.headRows, 0)).not.toEqual(row(start.rows, 0));
    }
    expect(initialTokenRows(config, weights, ids, new Set([9]), 1)).toEqual(start);
    expect(initialTokenRows(config, weights, ids, new Set([9]), 2).rows).not.toEqual(start.rows);
  });

  it("the base model has its own rows, and the mean beyond them; from quantised tables too", () => {
    const base = baseTokenRows(config, weights, [3, vocab]);
    expect(row(base.rows, 0)).toEqual(row(table, 3));
    row(base.rows, 1).forEach((value, k) => expect(value).toBeCloseTo(mean[k]!, 6));
    const held = asHeld(config, weights, "q8");
    const rounded = dequantize(held.get("model.embed_tokens.weight")!);
    expect(row(baseTokenRows(config, held, [3, vocab]).rows, 0)).toEqual(row(rounded, 3));
  });

  it("a head that an adapter left alone gets its own rows", () => {
    const tokens = { ids: [3, 5], rows: new Float32Array(2 * width), headRows: null };
    const whole = withHeadRows(config, weights, tokens);
    if (config.tieWordEmbeddings) expect(whole).toBe(tokens);
    else expect(row(whole.headRows!, 1)).toEqual(row(weights.get("lm_head.weight")!, 5));
    expect(whole.rows).toBe(tokens.rows);
    const own = { ...tokens, headRows: new Float32Array(2 * width) };
    expect(withHeadRows(config, weights, own)).toBe(own);
  });

  it("rows that are the base model's own are left out", () => {
    const ids = Array.from({ length: vocab + 1 }, (_, id) => id);
    const { rows, headRows } = baseTokenRows(config, weights, ids);
    expect(dropUnchangedRows(config, weights, { ids: ids.slice(0, -1), rows: rows.slice(0, -width), headRows: headRows?.slice(0, -width) ?? null })).toBeNull();
    rows[5 * width + 3]! += 1;
    if (headRows) headRows[8 * width]! += 1;
    const kept = dropUnchangedRows(config, weights, { ids, rows, headRows })!;
    expect(kept.ids).toEqual(headRows ? [5, 8, vocab] : [5, vocab]);
    expect(row(kept.rows, 0)).toEqual(row(rows, 5));
    expect(row(kept.rows, kept.ids.length - 1)).toEqual(row(rows, vocab));
    if (headRows) expect(row(kept.headRows!, 1)).toEqual(row(headRows, 8));
  });
});

it("targets that are trained move behind the vocabulary", () => {
  const ids = [65, 7, 64];
  expect([...remapTargets({ ...config, vocabSize: 64 }, ids, Int32Array.of(3, 7, 64, 65, 63))]).toEqual([3, 65, 66, 64, 63]);
});
