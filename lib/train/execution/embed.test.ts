import { describe, expect, it } from "vitest";
import { asHeld, randomTokens } from "../testing/held";
import { referenceModel } from "../testing/reference";
import { dequantize } from "../model/quantize";
import { embedTokens } from "./embed";

const { config, weights } = referenceModel("qwen2-tied");
const width = config.hiddenSize;

describe("embedTokens", () => {
  it("looks rows up however they are held, an adapter's before the table's", () => {
    const own = { ids: [config.vocabSize, 7], rows: randomTokens(config, 2) };
    for (const storage of ["f32", "f16", "q8", "q4"] as const) {
      const held = asHeld(config, weights, storage);
      const table = dequantize(held.get("model.embed_tokens.weight")!);
      const row = (id: number) => table.subarray(id * width, (id + 1) * width);
      const found = embedTokens(config, held, [7, 3, config.vocabSize], own);
      expect(found).toEqual(Float32Array.of(...own.rows.subarray(width), ...row(3), ...own.rows.subarray(0, width)));
      expect(embedTokens(config, held, [7, 0])).toEqual(Float32Array.of(...row(7), ...row(0)));
    }
  });

  it("refuses a token that there is not, in words", () => {
    const own = { ids: [config.vocabSize], rows: randomTokens(config, 1) };
    for (const [id, tokens] of [[config.vocabSize, null], [config.vocabSize + 1, own], [-1, own]] as const) {
      expect(() => embedTokens(config, weights, [3, id], tokens)).toThrow(expect.objectContaining({ code: "generate/token", message: expect.stringContaining(String(id)) as string }) as Error);
    }
  });
});
