/** The commands that write folders: merge, quantize and sft, each read again by the others. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { parseModelConfig } from "../../lib/train/model/config";
import { openAdapterFolder } from "./model-folder";
import { call, TINY_CONFIG, writeTinyAdapter, writeTinyModel } from "./testing/folders";
import { at, gap, jsonl, logitsOf, ok, TEXT, text, useWorkspace, writeTokenAdapter } from "./testing/workspace";

useWorkspace();

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
    writeTokenAdapter(at("tokens"), false);
    const vocab = TINY_CONFIG.vocab_size;
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
    const pairs = [{ prompt: "The rain", completion: " had stopped." }, { prompt: "Nobody came,", completion: " and nobody wrote." }, { prompt: "And ".repeat(40), completion: "so on." }];
    const { lines, stderr } = await ok("sft", "--model", at("model"), "--data", jsonl("d.jsonl", pairs), "--config", text("c.json", '\ufeff{"max_length":32,"learning_rate":0.02,"num_train_epochs":4,"r":4,"target_modules":"all-linear","shuffle":false}'), "--out", at("adapter-new"));
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

  it("keeps checkpoints at multiples of save_steps and at the end, and passes over a damaged one", async () => {
    const run = (...args: string[]) => call("sft", "--model", at("model"), "--data", jsonl("d.jsonl", rows), "--config", text("c.json", '{"max_steps":8,"save_steps":3}'), "--out", at("saved"), ...args);
    const { lines } = await run();
    expect(lines.length).toBe(8);
    const [older, newest] = ["step-00000006.checkpoint", "step-00000008.checkpoint"];
    expect(readdirSync(at("saved", "checkpoints")).sort()).toEqual([older, newest]);
    writeFileSync(at("saved", "checkpoints", newest), "cut");
    const anew = await run();
    expect(anew.error).toMatchObject({ code: "file/exists" });
    expect(anew.stderr).toMatch(/step-00000008.*damaged.*the one before it/);
    expect((await run("--resume")).lines).toEqual(lines.slice(6));
    for (const name of [older, newest]) writeFileSync(at("saved", "checkpoints", name), "cut");
    for (const args of [[], ["--resume"]]) expect((await run(...args)).error).toMatchObject({ code: "train/checkpoint-damaged", nextStep: expect.stringContaining("--out") as string });
    expect(readdirSync(at("saved", "checkpoints")).length).toBe(2); // nothing that cannot be read is thrown away
  });

  it("does not go on with a run of another model, though it has the same shapes", async () => {
    writeTinyModel(at("twin"), 2);
    const run = (model: string, steps: number, ...args: string[]) => call("sft", "--model", at(model), "--data", jsonl("d.jsonl", rows), "--config", text("c.json", `{"max_steps":${steps}}`), "--out", at("of-model"), ...args);
    expect((await run("model", 2)).error).toBeUndefined();
    expect((await run("twin", 2, "--resume")).error).toMatchObject({ code: "train/checkpoint-other", message: expect.stringContaining("another model") as string });
    expect((await run("model", 2, "--resume")).error).toBeUndefined();
  });

  it("measures held-out examples, ends when they gain no more, and keeps the best or the last adapter", async () => {
    const heldOut = [{ text: "Nothing was said of the letter.<|im_end|>" }, { text: "He went home by the river, slowly.<|im_end|>" }, { text: "" }];
    const settings = { max_steps: 40, learning_rate: 0.3, eval_steps: 2, early_stopping_patience: 2, target_modules: "all-linear" };
    const run = (keepBest: boolean) => ok("sft", "--model", at("model"), "--data", jsonl("d.jsonl", rows), "--eval", jsonl("e.jsonl", heldOut), "--config", text("c.json", JSON.stringify({ ...settings, load_best_model_at_end: keepBest })), "--out", at("measured"));
    for (const keepBest of [true, false]) {
      const { lines } = await run(keepBest);
      const losses = (lines as { step: number; evalLoss?: number }[]).flatMap(({ step, evalLoss }) => (evalLoss === undefined ? [] : [{ step, evalLoss }]));
      expect(losses.map(({ step }) => step)).toEqual(losses.map((_, i) => 2 * i));
      const best = losses.reduce((low, one) => (one.evalLoss < low.evalLoss ? one : low));
      expect(losses.at(-1)!.step).toBe(best.step + 4);
      expect(losses.at(-1)!.step).toBeLessThan(40);
      const scores = (await ok("score", "--model", at("model"), "--adapter", at("measured"), "--texts", jsonl("s.jsonl", heldOut.slice(0, 2)))).lines as { tokens: number; logProb: number }[];
      const sum = (of: "tokens" | "logProb") => scores.reduce((total, score) => total + score[of], 0);
      expect(-sum("logProb") / sum("tokens")).toBeCloseTo((keepBest ? best : losses.at(-1)!).evalLoss, 4);
    }
  });

  it("says what to do about a rate that throws it out of bounds", async () => {
    const { error } = await call("sft", "--model", at("model"), "--data", jsonl("d.jsonl", rows), "--config", text("c.json", '{"max_steps":9,"learning_rate":1e37}'), "--out", at("diverged"));
    expect(error).toMatchObject({ code: "train/diverged", nextStep: expect.stringMatching(/^Lower learning_rate.*checkpoints.*--resume/) as string });
  });

  it("starts from an adapter, and refuses settings that contradict it", async () => {
    const args = ["sft", "--model", at("model"), "--init", at("adapter"), "--data", jsonl("d.jsonl", rows)];
    await ok(...args, "--config", text("c.json", '{"max_steps":1,"learning_rate":0,"r":3}'), "--out", at("same"));
    expect(gap(await logitsOf(at("model"), at("same")), await logitsOf(at("model"), at("adapter")))).toBe(0);
    expect((await call(...args, "--config", text("c.json", '{"r":8}'), "--out", at("other"))).error).toMatchObject({ code: "train/settings", message: expect.stringContaining("r is 8") as string });
  });

  describe.each([["a tied head", true], ["a head of its own", false]])("from an adapter that trains tokens, over a model with %s", (_, tied) => {
    const name = tied ? "tied" : "untied";
    const content = "Rain<|new|> fell.";
    const data = [{ text: content }, { text: "Snow<|new|> lay." }];
    const run = async (init: string, rate: number, out: string) => {
      await ok("sft", "--model", at(name), "--init", at(init), "--data", jsonl("d.jsonl", data), "--config", text("c.json", JSON.stringify({ max_steps: 3, learning_rate: rate })), "--out", at(out));
      return openAdapterFolder(at(out), parseModelConfig(JSON.parse(readFileSync(at(name, "config.json"), "utf8"))));
    };
    beforeAll(() => {
      writeTinyModel(at(name), 3, { tie_word_embeddings: tied });
      writeTokenAdapter(at(`${name}-tokens`), !tied, { tie_word_embeddings: tied });
    });

    it("keeps its rows at a rate of nothing, and moves all of them otherwise", async () => {
      const still = await run(`${name}-tokens`, 0, `${name}-still`), before = await logitsOf(at(name), at(`${name}-tokens`), content);
      expect(before.tokens).toContain(TINY_CONFIG.vocab_size);
      expect(gap(await logitsOf(at(name), at(`${name}-still`), content), before)).toBe(0);
      const moved = await run(`${name}-tokens`, 0.05, `${name}-moved`);
      expect(moved.tokens!.ids).toEqual(still.tokens!.ids);
      const width = TINY_CONFIG.hidden_size;
      const distance = (rows: "rows" | "headRows", i: number) => Math.hypot(...[...moved.tokens![rows]!.subarray(i * width, (i + 1) * width)].map((value, k) => value - still.tokens![rows]![i * width + k]!));
      // Token 300 is in no text: the head alone, which every position passes, has a gradient for it.
      expect(distance("rows", 0) > 0).toBe(tied);
      expect(distance("rows", 1)).toBeGreaterThan(0.1);
      if (tied) expect(moved.tokens!.headRows).toBeNull();
      else for (const i of [0, 1]) expect(distance("headRows", i)).toBeGreaterThan(0.1);
      expect(gap(await logitsOf(at(name), at(`${name}-moved`), content), before)).toBeGreaterThan(0.1);
    });

    it("hands on the tokenizer, so that what it wrote can be merged", async () => {
      await run(`${name}-tokens`, 0.05, `${name}-trained`);
      await ok("merge", "--model", at(name), "--adapter", at(`${name}-trained`), "--out", at(`${name}-merged`));
      const merged = await logitsOf(at(`${name}-merged`), undefined, content);
      expect(merged.tokens).toContain(TINY_CONFIG.vocab_size);
      expect(gap(merged, await logitsOf(at(name), at(`${name}-trained`), content))).toBeLessThan(1e-4);
    });
  });

  it("gives an untied head rows of its own where the adapter that it starts from left them alone", async () => {
    writeTinyModel(at("apart"), 4, { tie_word_embeddings: false });
    const rows = Float32Array.from({ length: 2 * TINY_CONFIG.hidden_size }, (_, i) => Math.cos(i)); // [2, hidden]
    writeTinyAdapter(at("no-head"), 4, undefined, { tie_word_embeddings: false }, { ids: [300, 54], rows, headRows: null });
    await ok("sft", "--model", at("apart"), "--init", at("no-head"), "--data", jsonl("d.jsonl", [{ text: TEXT }]), "--config", text("c.json", '{"max_steps":1,"learning_rate":0}'), "--out", at("with-head"));
    expect(JSON.parse(readFileSync(at("with-head", "adapter_config.json"), "utf8"))).toMatchObject({ trainable_token_indices: { embed_tokens: [300, 54], lm_head: [300, 54] } });
    expect(gap(await logitsOf(at("apart"), at("with-head")), await logitsOf(at("apart"), at("no-head")))).toBe(0);
  });
});
