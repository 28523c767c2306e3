/** Our tokenizer against transformers.js, whose parts it is made of but whose way through them is its own; and the runtime's version against the one it pins. */
import { readFileSync } from "node:fs";
import { PreTrainedTokenizer } from "@huggingface/transformers";
import { describe, expect, it } from "vitest";
import { createTokenizer } from "./tokenizer";

const root = new URL("../../../", import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), "utf8"));
const json = read("public/models/ductus-base/tokenizer.json");
const config = read("public/models/ductus-base/tokenizer_config.json");
const ours = createTokenizer(json, config);
const theirs = new PreTrainedTokenizer(json, config);
const texts = ["allotment", "letters"].flatMap((id) => (read(`public/samples/${id}.json`) as { pieces: { text: string }[] }).pieces.map((p) => p.text));

describe("transformers.js", () => {
  it("gives the same ids for every piece of the sample writers, and the same text back", () => {
    expect(texts.length).toBeGreaterThanOrEqual(80);
    for (const text of texts) {
      const ids = ours.encode(text);
      expect(ids).toEqual(theirs.encode(text, { add_special_tokens: false }));
      expect(ours.decode(ids)).toBe(text.normalize("NFC"));
    }
  });

  it("gives the same ids for a conversation in the chat template", () => {
    const messages = [{ role: "user" as const, content: "Write with these words: kettle, frost" }, { role: "assistant" as const, content: texts[0]! }, { role: "user" as const, content: "Continue:\n\nand then" }];
    expect(ours.encodeChat(messages, true)).toEqual(theirs.apply_chat_template(messages, { add_generation_prompt: true, return_tensor: false, return_dict: false }));
  });

  it("pins the version of onnxruntime-web that the product uses", () => {
    const pinned = (read("node_modules/@huggingface/transformers/package.json") as { dependencies: Record<string, string> }).dependencies["onnxruntime-web"];
    expect((read("package.json") as { dependencies: Record<string, string> }).dependencies["onnxruntime-web"]).toBe(pinned);
  });
});
