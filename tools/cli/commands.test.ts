/** Every command, on the embedded model against transformers, and on tiny models against one another. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { referenceJson } from "../../lib/train/testing/reference";
import { openNode } from "../../lib/train/runtime/node";
import { loadFolderWeights, openAdapterFolder, openModelFolder } from "./model-folder";
import { positionLogits } from "./position-logits";
import { call, embedded, TINY_CONFIG, writeTinyAdapter, writeTinyModel, type Call } from "./testing/folders";

const folder = mkdtempSync(join(tmpdir(), "ductus-cli-"));
const at = (...parts: string[]) => join(folder, ...parts);
const text = (name: string, content: string) => (writeFileSync(at(name), content), at(name));
const jsonl = (name: string, rows: unknown[]) => text(name, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));

const TEXT = "The garden was wet, and so was he.";
beforeAll(() => {
  writeTinyModel(at("model"));
  writeTinyAdapter(at("adapter"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function ok(...args: string[]): Promise<Call> {
  const result = await call(...args);
  expect(result.error, result.stderr).toBeUndefined();
  expect(result.code).toBe(0);
  return result;
}

interface Logits { tokens: number[]; logits: number[][] }
async function logitsOf(model: string, adapter?: string, content = TEXT): Promise<Logits> {
  const { lines } = await ok("logits", "--model", model, "--text", text("t.txt", content), ...(adapter ? ["--adapter", adapter] : []));
  expect(lines.length).toBe(1);
  return lines[0] as Logits;
}

const gap = (a: Logits, b: Logits) => Math.max(...a.logits.flatMap((row, t) => row.map((value, i) => Math.abs(value - b.logits[t]![i]!))));
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

describe("merge", () => {
  it("gives the logits of model and adapter together, in a folder that is opened as any other", async () => {
    const { lines } = await ok("merge", "--model", at("model"), "--adapter", at("adapter"), "--out", at("merged"));
    expect(lines).toEqual([{ out: at("merged"), dtype: "float32", vocabSize: TINY_CONFIG.vocab_size, files: ["model.safetensors"] }]);
    expect(readdirSync(at("merged")).sort()).toEqual(["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]);
    expect(gap(await logitsOf(at("merged")), await logitsOf(at("model"), at("adapter")))).toBeLessThan(1e-4);
    await ok("merge", "--model", at("model"), "--adapter", at("adapter"), "--out", at("merged16"), "--dtype", "bfloat16");
    expect(JSON.parse(readFileSync(at("merged16", "config.json"), "utf8"))).toMatchObject({ torch_dtype: "bfloat16" });
    const rough = gap(await logitsOf(at("merged16")), await logitsOf(at("merged")));
    expect(rough).toBeGreaterThan(1e-4);
    expect(rough).toBeLessThan(0.5);
  });

  it("takes in tokens that an adapter trains and adds, with the adapter's tokenizer", async () => {
    const { hidden_size: width, vocab_size: vocab } = TINY_CONFIG;
    const rows = Float32Array.from({ length: 2 * width }, (_, i) => Math.sin(i));
    writeTinyAdapter(at("tokens"), 2, undefined, {}, { ids: [300, vocab], rows, headRows: null });
    for (const name of ["tokenizer.json", "tokenizer_config.json"]) cpSync(at("model", name), at("tokens", name));
    const tokenizer = JSON.parse(readFileSync(at("tokens", "tokenizer.json"), "utf8")) as { added_tokens: object[] };
    tokenizer.added_tokens.push({ id: vocab, content: "<|new|>", single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
    writeFileSync(at("tokens", "tokenizer.json"), JSON.stringify(tokenizer));
    const content = "Rain<|new|> fell.";
    const unmerged = await logitsOf(at("model"), at("tokens"), content);
    expect(unmerged.tokens).toContain(vocab);
    expect(unmerged.logits[0]!.length).toBe(vocab + 1);
    const { lines } = await ok("merge", "--model", at("model"), "--adapter", at("tokens"), "--out", at("merged-tokens"));
    expect(lines[0]).toMatchObject({ vocabSize: vocab + 1 });
    const merged = await logitsOf(at("merged-tokens"), undefined, content);
    expect(merged.tokens).toEqual(unmerged.tokens);
    expect(gap(merged, unmerged)).toBeLessThan(1e-4);
    await ok("generate", "--model", at("model"), "--adapter", at("tokens"), "--prompts", jsonl("p.jsonl", [{ prompt: content }]), "--max-new-tokens", "2");
  });
});

describe("quantize", () => {
  it("writes a folder that every command reads", async () => {
    const exact = await logitsOf(at("model"), at("adapter"));
    for (const [bits, most] of [["8", 0.6], ["4", 10]] as const) {
      const out = at(`q${bits}`);
      const { lines } = await ok("quantize", "--model", at("model"), "--bits", bits, "--out", out);
      expect(lines[0]).toMatchObject({ bits: Number(bits), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
      const off = gap(await logitsOf(out, at("adapter")), exact);
      expect(off).toBeGreaterThan(0.001);
      expect(off).toBeLessThan(most);
    }
    await ok("score", "--model", at("q4"), "--adapter", at("adapter"), "--texts", jsonl("s.jsonl", [{ text: TEXT }]));
    await ok("generate", "--model", at("q4"), "--adapter", at("adapter"), "--prompts", jsonl("p.jsonl", [{ prompt: "The" }]), "--max-new-tokens", "3");
    const { lines } = await ok("sft", "--model", at("q8"), "--data", jsonl("d.jsonl", [{ text: TEXT }]), "--config", text("c.json", '{"max_steps":2,"learning_rate":0.01}'), "--out", at("from-q8"));
    expect(lines.length).toBe(2);
    await ok("merge", "--model", at("q8"), "--adapter", at("from-q8"), "--out", at("q8-merged"));
    expect(gap(await logitsOf(at("q8-merged")), await logitsOf(at("q8"), at("from-q8")))).toBeLessThan(1e-4);
    expect((await call("quantize", "--model", at("q8"), "--bits", "4", "--out", at("q8-4"))).error?.code).toBe("app/usage");
  });
});

describe("sft", () => {
  const rows = [{ text: "The rain had stopped." }, { text: "Nobody came, and nobody wrote." }, { text: "" }];

  it("writes an adapter that the other commands open, and drops what cannot be learned from", async () => {
    const { lines, stderr } = await ok("sft", "--model", at("model"), "--data", jsonl("d.jsonl", rows), "--config", text("c.json", '{"learning_rate":0.02,"num_train_epochs":4,"r":4,"target_modules":"all-linear","shuffle":false}'), "--out", at("adapter-new"));
    expect((lines as { step: number }[]).map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    const [first, , , last] = lines as { loss: number; lr: number; tokens: number }[];
    expect(last!.loss).toBeLessThan(first!.loss);
    expect(first!.lr).toBe(0.02);
    expect(stderr).toContain("1 of 3 rows were left out");
    expect(JSON.parse(readFileSync(at("adapter-new", "adapter_config.json"), "utf8"))).toMatchObject({ peft_type: "LORA", r: 4, lora_alpha: 8 });
    expect(gap(await logitsOf(at("model"), at("adapter-new")), await logitsOf(at("model")))).toBeGreaterThan(0.01);
  });

  it("starts anew where a run has ended, goes on where one has not, and says so otherwise", async () => {
    const run = (...args: string[]) => call("sft", "--model", at("model"), "--data", jsonl("d.jsonl", rows), "--config", text("c.json", '{"max_steps":3,"save_steps":1}'), "--out", at("run"), ...args);
    const first = await run();
    expect((await run()).lines).toEqual(first.lines);
    const checkpoints = readdirSync(at("run", "checkpoints")).sort();
    expect(checkpoints.length).toBe(2);
    rmSync(at("run", "checkpoints", checkpoints[1]!)); // as if it had been killed before its last
    rmSync(at("run", "adapter_model.safetensors"));
    expect((await run()).error).toMatchObject({ code: "file/exists" });
    const rest = await run("--resume");
    expect(rest.error).toBeUndefined();
    expect(rest.lines.length).toBeGreaterThan(0);
    expect(first.lines.slice(-rest.lines.length)).toEqual(rest.lines);
    expect(existsSync(at("run", "adapter_model.safetensors"))).toBe(true);
    expect((await run("--resume")).lines).toEqual([]); // nothing is left to do
    const other = await call("sft", "--model", at("model"), "--data", jsonl("d.jsonl", [{ text: "Something else." }]), "--out", at("run"), "--resume");
    expect(other.error).toMatchObject({ code: "train/checkpoint-other" });
  });

  it("starts from an adapter, and refuses settings that contradict it", async () => {
    const args = ["sft", "--model", at("model"), "--init", at("adapter"), "--data", jsonl("d.jsonl", rows)];
    await ok(...args, "--config", text("c.json", '{"max_steps":1,"learning_rate":0,"r":3}'), "--out", at("same"));
    expect(gap(await logitsOf(at("model"), at("same")), await logitsOf(at("model"), at("adapter")))).toBe(0);
    expect((await call(...args, "--config", text("c.json", '{"r":8}'), "--out", at("other"))).error).toMatchObject({ code: "train/settings", message: expect.stringContaining("r is 8") as string });
  });
});

describe("wrong usage ends with one line that says what is wrong", () => {
  const model = () => ["--model", at("model")];
  const broken = () => { // a model whose weights end too early
    cpSync(at("model"), at("broken"), { recursive: true });
    const file = at("broken", "model.safetensors");
    writeFileSync(file, readFileSync(file).subarray(0, 5000));
    return at("broken");
  };
  const narrow = () => (writeTinyAdapter(at("narrow"), 1, undefined, { hidden_size: 48 }), at("narrow"));
  const blocked = () => (text("a-file", ""), join(at("a-file"), "out"));
  const taken = () => (mkdirSync(at("taken"), { recursive: true }), text("taken/config.json", "{}"), at("taken"));
  const texts = (content: string) => text("w.jsonl", content);

  it.each<[string, () => string[], code: string, says: RegExp]>([
    ["no command", () => [], "app/usage", /Commands: logits, score/],
    ["an unknown command", () => ["train"], "app/usage", /“train”.*Commands: logits/],
    ["an option in the place of the command", () => ["--model", "x"], "app/usage", /“--model”/],
    ["an unknown option", () => ["score", "--modle", "x"], "app/usage", /“--modle”.*--model DIR, --adapter DIR, --texts/],
    ["a bare word", () => ["score", "x"], "app/usage", /“x” is not an option/],
    ["an option without its value", () => ["score", "--model", "--texts"], "app/usage", /--model needs a value/],
    ["a switch with a value", () => ["sft", "--resume=yes"], "app/usage", /takes no value/],
    ["an option twice", () => ["score", "--model", "a", "--model", "b"], "app/usage", /twice/],
    ["a required option missing", () => ["logits", ...model()], "app/usage", /needs --text FILE/],
    ["a value that is no number", () => ["generate", ...model(), "--prompts", "x", "--top-p", "much"], "app/usage", /--top-p is “much”.*from 0 up to 1/],
    ["a number out of bounds", () => ["generate", ...model(), "--prompts", "x", "--max-new-tokens", "1.5"], "app/usage", /whole number/],
    ["options that contradict", () => ["generate", ...model(), "--prompts", "x", "--greedy", "--temperature", "1"], "app/usage", /contradict/],
    ["an unknown choice", () => ["quantize", ...model(), "--bits", "3", "--out", at("x")], "app/usage", /8 or 4/],
    ["a missing file", () => ["logits", ...model(), "--text", at("no.txt")], "file/not-found", /no\.txt/],
    ["a folder as a file", () => ["logits", ...model(), "--text", folder], "file/unreadable", /EISDIR/],
    ["bytes that are no text", () => { writeFileSync(at("b.txt"), Uint8Array.of(0xff, 0xfe, 0x41)); return ["logits", ...model(), "--text", at("b.txt")]; }, "file/not-utf8", /UTF-8/],
    ["an empty text", () => ["logits", ...model(), "--text", text("e.txt", "")], "data/empty", /empty/],
    ["a broken line", () => ["score", ...model(), "--texts", texts('{"text":"a"}\n\n{"text":\n')], "data/json-line", /Line 3 of w\.jsonl is not JSON/],
    ["a line of another form", () => ["sft", ...model(), "--data", texts('{"text":"a"}\n{"prompt":"b"}\n'), "--out", at("x")], "data/json-line", /Line 2 of w\.jsonl/],
    ["a file without lines", () => ["score", ...model(), "--texts", texts("\n")], "data/empty", /holds no line/],
    ["a folder that is no model", () => ["logits", "--model", folder, "--text", "x"], "model/not-a-folder", /no config\.json/],
    ["a damaged model", () => ["score", "--model", broken(), "--texts", texts('{"text":"Rain fell."}')], "model/damaged", /ends too early/],
    ["a folder that is no adapter", () => ["score", ...model(), "--adapter", at("model"), "--texts", "x"], "adapter/not-a-folder", /adapter_config\.json/],
    ["an adapter of another model", () => ["merge", ...model(), "--adapter", narrow(), "--out", at("x2")], "adapter/shapes", /does not fit/],
    ["an unwritable folder", () => ["quantize", ...model(), "--bits", "8", "--out", blocked()], "file/unwritable", /cannot be written/],
    ["a folder with a model in it", () => ["quantize", ...model(), "--bits", "8", "--out", taken()], "file/exists", /holds a model already/],
    ["an unknown setting", () => ["sft", ...model(), "--data", texts('{"text":"a b"}'), "--config", text("c.json", '{"learning_rat":1}'), "--out", at("x")], "train/settings", /learning_rat.*learning_rate/],
    ["settings that are no JSON", () => ["sft", ...model(), "--data", texts('{"text":"a b"}'), "--config", text("c.json", "{"), "--out", at("x")], "train/settings", /not JSON/],
    ["nothing to learn", () => ["sft", ...model(), "--data", texts('{"text":""}'), "--out", at("x")], "data/nothing-to-learn", /single token/],
    ["a conversation for a model without a template", () => {
      cpSync(at("model"), at("plain"), { recursive: true });
      text("plain/tokenizer_config.json", '{"eos_token":"<|im_end|>"}');
      return ["generate", "--model", at("plain"), "--prompts", texts('{"messages":[{"role":"user","content":"x"}]}')];
    }, "model/chat-template", /chat template/],
  ])("%s", async (_, args, code, says) => {
    const result = await call(...args());
    expect(result.code).toBe(1);
    expect(result.lines.length).toBe(1);
    expect(result.error?.code, result.error?.message).toBe(code);
    expect(`${result.error?.message} ${result.error?.nextStep ?? ""}`).toMatch(says);
  });

  it("describes itself on --help", async () => {
    const { code, stdout } = await call("--help");
    expect(code).toBe(0);
    for (const name of ["logits", "score", "generate", "sft", "merge", "quantize"]) {
      expect(stdout).toContain(`  ${name} `);
      const help = await call(name, "--help");
      expect(help.code).toBe(0);
      expect(help.stdout).toMatch(new RegExp(`ductus -- ${name} .*--model DIR`));
      expect(help.stdout.split("\n").every((line) => line.length <= 100)).toBe(true);
    }
  });
});
