/** The commands that read a model, on the embedded one against transformers, and on tiny ones against one another. */
import { describe, expect, it } from "vitest";
import { openNode } from "../../lib/train/runtime/node";
import { referenceJson } from "../../lib/train/testing/reference";
import { loadFolderWeights, openAdapterFolder, openModelFolder } from "./model-folder";
import { positionLogits } from "./position-logits";
import { call, embedded, TINY_CONFIG, type Call } from "./testing/folders";
import { at, gap, jsonl, logitsOf, ok, TEXT, useWorkspace, type Logits } from "./testing/workspace";

useWorkspace();

const logSumExp = (values: readonly number[]) => {
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
};
const logProb = ({ logits, tokens }: Logits, position: number) => logits[position - 1]![tokens[position]!]! - logSumExp(logits[position - 1]!);
const sumOver = (all: Logits, from: number) => all.tokens.slice(from).reduce((sum, _, i) => sum + logProb(all, from + i), 0);

describe("on the embedded model, against transformers", () => {
  const { prompts } = referenceJson("embedded/prompts.json") as { prompts: { name: string; text: string; ids: number[]; positions: number[]; logsumexp: number[]; greedy: number[]; greedy_text: string }[] };

  it("logits: tokens and logits at the positions that are kept", async () => {
    const prompt = prompts.find(({ name }) => name === "keywords")!;
    const { tokens, logits } = await logitsOf(embedded, undefined, prompt.text);
    expect(tokens).toEqual(prompt.ids);
    expect(logits.length).toBe(tokens.length);
    prompt.positions.forEach((position, i) => expect(Math.abs(logSumExp(logits[position]!) - prompt.logsumexp[i]!)).toBeLessThan(1e-3));
  });

  it("generate: greedy text of prompts of several lengths at once", async () => {
    const { lines } = await ok("generate", "--model", embedded, "--prompts", jsonl("p.jsonl", prompts.map((prompt) => ({ prompt: prompt.text }))), "--greedy", "--max-new-tokens", "40");
    expect((lines as { tokens: number[] }[]).map(({ tokens }) => tokens)).toEqual(prompts.map(({ greedy }) => greedy));
    expect((lines as { text: string }[]).map((line) => line.text)).toEqual(prompts.map((prompt) => prompt.greedy_text));
  });
});

describe("logits", () => {
  it("of a text read in pieces are those of the whole", async () => {
    const content = "Rain. ".repeat(140);
    const long = await logitsOf(at("model"), at("adapter"), content);
    expect(long.tokens.length).toBeGreaterThan(270); // more than a piece
    const { lines } = await ok("score", "--model", at("model"), "--adapter", at("adapter"), "--texts", jsonl("s.jsonl", [{ text: content }]));
    expect(Math.abs((lines[0] as { logProb: number }).logProb - sumOver(long, 1))).toBeLessThan(1e-2); // of about −3,000
    const short = await logitsOf(at("model"), at("adapter"), "Rain. ".repeat(3));
    expect(short.logits.every((row) => row.length === TINY_CONFIG.vocab_size)).toBe(true);
    expect(gap({ ...short, logits: short.logits.slice(0, 5) }, long)).toBeLessThan(1e-5);
    expect(gap(short, await logitsOf(at("model"), undefined, "Rain. ".repeat(3)))).toBeGreaterThan(0.1); // the adapter matters
  });
});

describe("score", () => {
  it("sums the log-probabilities of completions, and of texts from their second token on", async () => {
    const rows = [{ prompt: "The garden", completion: " was wet, and so was he." }, { text: TEXT }, { prompt: "", completion: TEXT }, { text: "café" }];
    const all = await logitsOf(at("model"), at("adapter")), cafe = await logitsOf(at("model"), at("adapter"), "café");
    const begin = (await logitsOf(at("model"), at("adapter"), "The garden")).tokens.length;
    const { lines } = await ok("score", "--model", at("model"), "--adapter", at("adapter"), "--texts", jsonl("s.jsonl", rows));
    const expected = [
      [all.tokens.length - begin, sumOver(all, begin), 24], [all.tokens.length - 1, sumOver(all, 1), 34], [all.tokens.length - 1, sumOver(all, 1), 34], [cafe.tokens.length - 1, sumOver(cafe, 1), 5],
    ] as const;
    (lines as { tokens: number; logProb: number; bitsPerByte: number }[]).forEach((line, i) => {
      const [tokens, sum, bytes] = expected[i]!;
      expect(line.tokens).toBe(tokens);
      expect(Math.abs(line.logProb - sum)).toBeLessThan(1e-3);
      expect(line.bitsPerByte).toBeCloseTo(-line.logProb / Math.LN2 / bytes, 12);
    });
    expect(lines.length).toBe(rows.length);
  });

  it("takes conversations, and says which line is too long", async () => {
    const pair = { prompt: [{ role: "user", content: "And?" }], completion: [{ role: "assistant", content: "Nothing." }] };
    const { lines } = await ok("score", "--model", at("model"), "--texts", jsonl("s.jsonl", [pair]));
    const rendered = await logitsOf(at("model"), undefined, "<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\nNothing.<|im_end|>\n");
    const prompt = await logitsOf(at("model"), undefined, "<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\n");
    const line = lines[0] as { tokens: number; logProb: number };
    expect(line.tokens).toBe(rendered.tokens.length - prompt.tokens.length);
    expect(Math.abs(line.logProb - sumOver(rendered, prompt.tokens.length))).toBeLessThan(1e-3);
    const { error } = await call("score", "--model", at("model"), "--texts", jsonl("s.jsonl", [{ text: "Short." }, { text: "rain ".repeat(600) }]));
    expect(error).toMatchObject({ code: "data/too-long", message: expect.stringContaining("Line 2") as string });
  });
});

describe("generate", () => {
  const PROMPTS = [{ prompt: "The garden" }, { messages: [{ role: "user", content: "And now?" }] }, { prompt: [{ role: "user", content: "And now?" }] }];
  const run = (...args: string[]) => ok("generate", "--model", at("model"), "--adapter", at("adapter"), "--prompts", jsonl("p.jsonl", PROMPTS), "--max-new-tokens", "8", ...args);
  interface Line { text: string; tokens: number[]; logProbs: number[]; stop: string }

  it("gives the model's own log-probability of every token, greedy or drawn", async () => {
    for (const args of [["--greedy"], ["--temperature", "1.7", "--top-k", "50", "--top-p", "0.9", "--min-p", "0.01", "--repetition-penalty", "1.3", "--seed", "5"]]) {
      const line = (await run(...args)).lines[0] as Line;
      expect(line.logProbs.length).toBe(line.tokens.length);
      const { tokenizer, config, ...model } = await openModelFolder(at("model"));
      const prompt = tokenizer.encode("The garden");
      const tokens = [...prompt, ...line.tokens];
      const logits: number[][] = [];
      const weights = await loadFolderWeights({ ...model, tokenizer, config }, () => undefined);
      for await (const row of positionLogits(openNode(), config, weights, openAdapterFolder(at("adapter"), config), tokens)) logits.push([...row]);
      line.logProbs.forEach((value, i) => expect(Math.abs(value - logProb({ tokens, logits }, prompt.length + i))).toBeLessThan(1e-4));
    }
  });

  it("follows from the seed alone, whatever the batch; the two forms of a conversation are one", async () => {
    const first = await run("--seed", "1"), again = await run("--seed", "1", "--batch-size", "1"), other = await run("--seed", "2");
    const tokens = ({ lines }: Call) => (lines as Line[]).map((line) => line.tokens);
    expect(tokens(again)).toEqual(tokens(first));
    expect(tokens(other)).not.toEqual(tokens(first));
    const greedy = tokens(await run("--greedy"));
    expect(greedy[1]).toEqual(greedy[2]);
  });

  it("ends at a stop text, which is not part of it", async () => {
    const [whole] = (await run("--greedy")).lines as Line[];
    expect(whole!.stop).toBe("length");
    const stop = whole!.text.slice(4, 7);
    const [line] = (await run("--greedy", "--stop", "never written", `--stop=${stop}`)).lines as Line[];
    expect(line).toMatchObject({ stop: "end", text: whole!.text.slice(0, whole!.text.indexOf(stop)) });
  });
});
