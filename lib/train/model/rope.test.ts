import { describe, expect, it } from "vitest";
import { referenceJson } from "../testing/reference";
import { parseModelConfig } from "./config";
import { rotaryFrequencies, rotaryTable } from "./rope";

interface Case {
  name: string;
  head_dim: number;
  rope_parameters: Record<string, unknown>;
  frequencies: number[];
}
const { cases } = referenceJson("rope.json") as { cases: Case[] };

const configOf = ({ head_dim, rope_parameters }: Case) => parseModelConfig({
  model_type: "llama", vocab_size: 8, hidden_size: head_dim, num_hidden_layers: 1, num_attention_heads: 1, head_dim, intermediate_size: 8,
  max_position_embeddings: 131072, rope_parameters,
});

describe.each(cases)("rotary frequencies: $name", (example) => {
  const config = configOf(example);

  it("are transformers' to the last places of an f32", () => {
    const ours = rotaryFrequencies(config);
    expect(ours).toHaveLength(example.frequencies.length);
    // torch's power is good to one unit in the last place; the blend of two frequencies doubles that.
    example.frequencies.forEach((theirs, i) => expect(Math.abs(ours[i]! / theirs - 1), `${i}`).toBeLessThan(3e-7));
  });

  it("make a table of angles", () => {
    const { cos, sin } = rotaryTable(config, 5);
    const half = config.headDim / 2;
    expect([cos.length, sin.length]).toEqual([5 * half, 5 * half]);
    example.frequencies.forEach((frequency, i) => {
      expect(cos[3 * half + i]).toBeCloseTo(Math.cos(3 * frequency), 6);
      expect(sin[3 * half + i]).toBeCloseTo(Math.sin(3 * frequency), 6);
    });
  });
});

it("the scaling is seen: without it the slow frequencies are far off", () => {
  const example = cases.find(({ name }) => name === "Llama 3.2 1B")!;
  const plain = rotaryFrequencies({ ...configOf(example), ropeScaling: null });
  expect(plain.at(-1)! / example.frequencies.at(-1)!).toBeCloseTo(32, 4);
  expect(plain[0]).toBe(example.frequencies[0]);
});
