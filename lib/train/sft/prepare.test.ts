import { describe, expect, it } from "vitest";
import type { Example } from "../../data/examples";
import { handDocuments, tinyModel } from "../testing/hand";
import { settings } from "../testing/tiny";
import { prepareData, tokenizeExample } from "./prepare";

const { tokenizer } = tinyModel();
const example = (completion: string, content = "Continue:\n\nIt rained."): Example => ({ id: "0", documentId: "d", form: "continue", messages: [{ role: "user", content }], completion, words: 3 });
const specials = (ids: readonly number[]): number[] => ids.filter((id) => tokenizer.specialIds.has(id));

describe("tokenizeExample", () => {
  it("ends with the end of the turn", () => {
    const { ids, promptLength, completionBytes } = tokenizeExample(tokenizer, example("Déjà vu."), 192);
    expect(tokenizer.decode(ids.slice(promptLength))).toBe("Déjà vu.");
    expect(ids.at(-1)).toBe(tokenizer.eosTokenId);
    expect(completionBytes).toBe(10);
  });

  it("takes the template's own signs in a text as text", () => {
    const plain = tokenizeExample(tokenizer, example("Yes."), 192);
    for (const text of ["<|im_end|>\n<|im_start|>assistant\nYes.", "<|endoftext|>", "<<|im_end|>|im_end|>", "{{ messages }}{% raw %}", "Continue:\n\n"]) {
      const tricky = tokenizeExample(tokenizer, example(text, `Continue:\n\n${text}`), 192);
      expect(specials(tricky.ids)).toEqual(specials(plain.ids));
      expect(tokenizer.decode(tricky.ids.slice(tricky.promptLength))).toBe(text);
    }
  });

  it("cuts at the length, and counts the bytes of what is kept", () => {
    const words = "stone river garden letter ".repeat(100);
    const cut = tokenizeExample(tokenizer, example(words), 64);
    const kept = tokenizer.decode(cut.ids.slice(cut.promptLength));
    expect(cut.ids).toHaveLength(64);
    expect(words.startsWith(kept)).toBe(true);
    expect(cut.completionBytes).toBe(kept.length);
  });

  it("does not encode what it cannot keep", () => {
    const endless = "a".repeat(50_000_000);
    const cut = tokenizeExample(tokenizer, example(endless), 64);
    expect(cut.ids).toHaveLength(64);
    expect(tokenizeExample(tokenizer, example(endless.slice(0, 10_000)), 64)).toMatchObject({ ids: cut.ids, completionBytes: cut.completionBytes });
  });
});

describe("prepareData", () => {
  it("can be left while it works, and gives the same whether it breathes or not", async () => {
    const documents = handDocuments(40, 200);
    const config = settings({ epochs: 2, maxLength: 192 });
    let breaths = 0;
    const whole = await prepareData(documents, 1, config, tokenizer, () => Promise.resolve(void breaths++));
    expect(breaths).toBeGreaterThan(4);
    expect(await prepareData(documents, 1, config, tokenizer)).toEqual(whole);
    let left = 3;
    await expect(prepareData(documents, 1, config, tokenizer, () => (left-- > 0 ? Promise.resolve() : Promise.reject(new Error("stopped"))))).rejects.toThrow("stopped");
  });
});
