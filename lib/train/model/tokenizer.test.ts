import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import { createTokenizer, type ChatMessage } from "./tokenizer";

const folder = new URL("../../../public/models/ductus-base/", import.meta.url);
const read = (url: URL): unknown => JSON.parse(readFileSync(url, "utf8"));
const tokenizerJson = read(new URL("tokenizer.json", folder)) as Record<string, unknown>;
const tokenizerConfig = read(new URL("tokenizer_config.json", folder)) as Record<string, unknown>;
const tokenizer = createTokenizer(tokenizerJson, tokenizerConfig);

/** From transformers 5.23, split_special_tokens=True. */
const VECTORS: [string, number[]][] = [
  ["", []],
  ["It's raining; we'LL wait.", [1223, 378, 381, 2154, 29, 359, 9, 46, 46, 1532, 16]],
  ["e\u0301te\u0301  \u212b\n\n\tTwo  lines\r\n", [3933, 86, 3933, 223, 223, 130, 230, 376, 200, 54, 3482, 223, 3287, 204, 201]],
  ["12345 boats, 日本語 🙂👩‍👧", [19, 20, 21, 22, 23, 713, 1728, 14, 223, 165, 248, 101, 165, 253, 108, 167, 106, 255, 223, 175, 256, 250, 227, 175, 256, 242, 105, 452, 238, 175, 256, 242, 103]],
  ["\ufeffbom\u2028\u00a0x", [174, 122, 126, 68, 298, 452, 104, 129, 257, 90]],
  ["a <|im_start|>user\nb<|im_end|><|endoftext|>", [67, 2014, 94, 327, 65, 311, 441, 94, 32, 4421, 201, 68, 30, 94, 327, 65, 634, 94, 32, 30, 94, 634, 81, 694, 2316, 94, 32]],
  ["<|im_<|im_start|>start|>", [30, 94, 327, 65, 30, 94, 327, 65, 311, 441, 94, 32, 311, 441, 94, 32]],
];

afterEach(() => vi.unstubAllGlobals());

describe("createTokenizer", () => {
  it("knows its special tokens", () => {
    expect(tokenizer).toMatchObject({ vocabSize: 8192, eosTokenId: 2, padTokenId: 0 });
    expect([...tokenizer.specialIds].sort()).toEqual([0, 1, 2]);
    expect(tokenizer.tokenId("<|im_start|>")).toBe(1);
    expect(tokenizer.tokenId("toString")).toBeUndefined();
  });

  it("works without a network", async () => {
    vi.stubGlobal("fetch", () => {
      throw new Error("the tokenizer fetched something");
    });
    vi.resetModules();
    const fresh = await import("./tokenizer");
    expect(fresh.createTokenizer(tokenizerJson, tokenizerConfig).encode("a b")).toEqual(tokenizer.encode("a b"));
  });

  it("refuses files of another kind", () => {
    const fault = (json: unknown, config: unknown) => {
      try {
        createTokenizer(json, config);
      } catch (error) {
        if (error instanceof DuctusError) return error.code;
        throw error;
      }
      throw new Error("was accepted");
    };
    const model = tokenizerJson["model"] as object;
    const added = tokenizerJson["added_tokens"] as object[];
    for (const json of [null, 3, {}, { ...tokenizerJson, model: { ...model, type: "WordPiece" } }, { ...tokenizerJson, model: { ...model, vocab: { a: "b" } } }, { ...tokenizerJson, decoder: { type: "Metaspace" } }, { ...tokenizerJson, added_tokens: [{ ...added[0], lstrip: true }] }, { ...tokenizerJson, normalizer: undefined, pre_tokenizer: { type: "Nothing" } }]) {
      expect(fault(json, tokenizerConfig)).toBe("model/tokenizer");
    }
    for (const config of [null, {}, { ...tokenizerConfig, eos_token: "<|nothing|>" }, { ...tokenizerConfig, chat_template: "{% for %}" }]) expect(fault(tokenizerJson, config)).toBe("model/tokenizer");
  });
});

describe("encode", () => {
  it.each(VECTORS)("of %j is that of transformers, its special tokens taken as text", (text, ids) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text.normalize("NFC"));
  });

  it("makes special tokens out of their names only when asked", () => {
    expect(tokenizer.encode("a<|im_end|>\n<|endoftext|>", { allowSpecial: true })).toEqual([67, 2, 201, 0]);
    const { prompts } = read(new URL("../../../tools/reference/data/embedded/prompts.json", import.meta.url)) as { prompts: { text: string; ids: number[]; greedy: number[]; greedy_text: string }[] };
    expect(prompts.length).toBeGreaterThanOrEqual(3);
    for (const { text, ids, greedy, greedy_text } of prompts) {
      expect(tokenizer.encode(text, { allowSpecial: true })).toEqual(ids);
      expect(tokenizer.decode(greedy)).toBe(greedy_text);
    }
  });

  it("never makes a special token out of any text, however it is put together", () => {
    const random = new Random("special");
    const parts = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|im_", "start|>", "<", "|", ">", " ", "\n", "user", "\u{f0000}"];
    for (let i = 0; i < 500; i++) {
      const text = Array.from({ length: 1 + random.int(12) }, () => random.pick(parts)).join("");
      const ids = tokenizer.encode(text);
      expect(ids.some((id) => tokenizer.specialIds.has(id))).toBe(false);
      expect(tokenizer.decode(ids)).toBe(text);
      // In a conversation, only those of the template.
      const chat = tokenizer.encodeChat([{ role: "user", content: text }], true);
      expect(chat.filter((id) => tokenizer.specialIds.has(id))).toEqual([1, 2, 1]);
      expect(tokenizer.decode(chat)).toBe(`user\n${text}\nassistant\n`);
    }
  });
});

describe("tools/reference/data/tokenizer", () => {
  const vectors = read(new URL("../../../tools/reference/data/tokenizer/vectors.json", import.meta.url)) as {
    strings: { text: string; ids: number[]; decoded: string }[];
    chats: { messages: ChatMessage[]; add_generation_prompt: boolean; text: string; ids: number[] }[];
  };

  it.each(vectors.strings)("$text", ({ text, ids, decoded }) => {
    expect(tokenizer.encode(text, { allowSpecial: true })).toEqual(ids);
    expect(tokenizer.decode(ids, { skipSpecial: false })).toBe(decoded);
  });

  it.each(vectors.chats)("conversation $text", ({ messages, add_generation_prompt, text, ids }) => {
    expect(tokenizer.encode(text, { allowSpecial: true })).toEqual(ids);
    const ours = tokenizer.encodeChat(messages, add_generation_prompt);
    if (messages.some(({ content }) => content.includes("<|im_end|>"))) {
      // transformers ends the turn where the writer's text says so; here it stays text.
      expect(ours).not.toEqual(ids);
      expect(tokenizer.decode(ours, { skipSpecial: false })).toBe(text);
      expect(ours.filter((id) => id === 2)).toHaveLength(messages.length);
    } else expect(ours).toEqual(ids);
  });
});

describe("encodeChat", () => {
  it("is transformers' apply_chat_template, where white space meets the template too", () => {
    const messages: ChatMessage[] = [{ role: "system", content: "Be brief." }, { role: "user", content: "\n\nContinue:  é" }, { role: "assistant", content: "" }];
    const ids = [1, 2216, 1089, 201, 2969, 5285, 16, 2, 201, 1, 4421, 376, 201, 37, 1123, 262, 585, 28, 223, 223, 3933, 2, 201, 1, 563, 440, 397, 201, 2, 201, 1, 563, 440, 397, 201];
    expect(tokenizer.encodeChat(messages, true)).toEqual(ids);
    expect(tokenizer.encodeChat(messages, false)).toEqual(ids.slice(0, -5));
  });

  it("keeps a template from seeing special tokens in what was written", () => {
    const cutting = createTokenizer(tokenizerJson, { ...tokenizerConfig, chat_template: "{% for m in messages %}{{ m.content.split('<|im_end|>')[0] }}{% endfor %}" });
    expect(cutting.decode(cutting.encodeChat([{ role: "user", content: "a<|im_end|>b" }], false))).toBe("a<|im_end|>b");
  });
});

describe("decode", () => {
  it("leaves special tokens out unless asked, and passes over ids that mean nothing", () => {
    const ids = [1, ...tokenizer.encode("user"), 2, 9999];
    expect(tokenizer.decode(ids)).toBe("user");
    expect(tokenizer.decode(ids, { skipSpecial: false })).toBe("<|im_start|>user<|im_end|>");
    expect(tokenizer.decode([])).toBe("");
  });

  it("gives any text back in NFC", () => {
    const random = new Random("texts");
    for (let i = 0; i < 500; i++) {
      const text = Array.from({ length: random.int(60) }, () => {
        const codePoint = random.int(random.pick([0x80, 0x800, 0x10_000, 0x110_000]));
        return codePoint >= 0xd800 && codePoint < 0xe000 ? "x" : String.fromCodePoint(codePoint);
      }).join("");
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.normalize("NFC"));
    }
  });
});

describe("stream", () => {
  it("never shows half a character, and ends with what decode gives", () => {
    const text = "Grüße, 日本語 🙂 — 👩‍👧!";
    const ids = tokenizer.encode(text);
    const stream = tokenizer.stream();
    let before = "";
    let held = 0;
    for (const id of ids) {
      const now = stream.push(id);
      expect(text.startsWith(now) && now.startsWith(before)).toBe(true);
      expect(/[\ud800-\udbff]$/.test(now)).toBe(false);
      if (now === before) held++;
      before = now;
    }
    expect(held).toBeGreaterThan(5); // there were characters of several tokens
    expect(stream.finish()).toBe(text);
  });

  it("agrees with decode on any ids, whole characters or not", () => {
    const random = new Random("ids");
    for (let i = 0; i < 500; i++) {
      const ids = Array.from({ length: random.int(30) }, () => random.int(random.pick([300, 8192])));
      const skipSpecial = random.uniform() < 0.5;
      const stream = tokenizer.stream({ skipSpecial });
      for (const id of ids) stream.push(id);
      expect(stream.finish()).toBe(tokenizer.decode(ids, { skipSpecial }));
    }
    const [first] = tokenizer.encode("日");
    const cut = tokenizer.stream();
    expect(cut.push(first!)).toBe("");
    expect(cut.finish()).toBe("\ufffd");
  });
});
