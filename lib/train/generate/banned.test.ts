import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createTokenizer } from "../model/tokenizer";
import { bannedSequences, forbid } from "./banned";

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../../../public/models/ductus-base/${name}`, import.meta.url), "utf8"));
const tokenizer = createTokenizer(read("tokenizer.json"), read("tokenizer_config.json"));

describe("banned words", () => {
  it("cannot be completed, in any case, after any text", () => {
    const banned = bannedSequences(tokenizer);
    expect(banned.length).toBeGreaterThan(40);
    for (const sequence of banned) {
      const logits = new Float32Array(8192);
      forbid(logits, [5, 17, ...sequence.slice(0, -1)], banned);
      expect(logits[sequence.at(-1)!]).toBe(-Infinity);
    }
  });

  it("leaves ordinary words alone", () => {
    const banned = bannedSequences(tokenizer);
    const text = "The night was chilly; Nigel's niece, from Niger, knitted a new jacket, dark and thin, in the kitchen. He said: think, look, walk.";
    const ids = tokenizer.encode(text);
    ids.forEach((id, i) => {
      const logits = new Float32Array(8192);
      forbid(logits, ids.slice(0, i), banned);
      expect(logits[id], tokenizer.decode([id])).toBe(0);
    });
  });

  it("bans nothing that the person writes", () => {
    const all = bannedSequences(tokenizer);
    const first = tokenizer.decode(all[0]!);
    expect(bannedSequences(tokenizer, [`They said ${first}.`]).length).toBeLessThan(all.length);
  });
});
