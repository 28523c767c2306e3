import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openExecution } from "../execution/open";
import { adaptedModules } from "../model/lora";
import { liveDeviceTensors } from "../runtime/device-tensor";
import { openNode } from "../runtime/node";
import { openSessions } from "../runtime/session";
import { referenceModel } from "../testing/reference";
import { randomLora, settings } from "../testing/tiny";
import { Generator, type GenerationOptions, type GenerationRow } from "./generator";
import { scoreTexts } from "./score-texts";

const { config, weights, batch } = referenceModel("qwen3-untied");
const { lora } = settings();
const adapter = randomLora(config, lora, "generator");
const MAX_POSITIONS = 40;
const options = (changes: Partial<GenerationOptions> = {}): GenerationOptions => ({ temperature: 0.9, topP: 0.95, maxNewTokens: 12, stopTokenIds: [], ...changes });
const row = (promptIds: readonly number[], seed: number | string = 1, adapted = false): GenerationRow => ({ promptIds, adapted, seed });
const prompt = batch.rows[0]!;

let generator: Generator;
beforeAll(async () => {
  generator = await Generator.create(openNode(), config, weights, lora, MAX_POSITIONS);
});
afterAll(async () => {
  await generator.dispose();
  expect(openSessions()).toBe(0);
});
const tokens = async (rows: GenerationRow[], changes: Partial<GenerationOptions> = {}) => (await generator.generate(rows, options(changes), adapter)).map((r) => r.tokens);

describe("Generator", () => {
  it("writes the same for the same seed, and other things for other seeds", async () => {
    expect(await tokens([row(prompt, 3)])).toEqual(await tokens([row(prompt, 3)]));
    const many = await tokens(Array.from({ length: 6 }, (_, seed) => row(prompt, seed)));
    expect(new Set(many.map((t) => t.join())).size).toBe(6);
    const greedy = await tokens([row(prompt, 1), row(prompt, 2)], { temperature: 0 });
    expect(greedy[0]).toEqual(greedy[1]);
  });

  it.each([0, 0.9])("writes in a row what it writes alone: prompts of 1 to 7 tokens, base and adapted, temperature %d", async (temperature) => {
    const rows = Array.from({ length: 7 }, (_, i) => row(prompt.slice(0, i + 1), `row-${i}`, i % 2 === 1));
    const together = await tokens(rows, { temperature });
    for (const [i, r] of rows.entries()) expect((await tokens([r], { temperature }))[0], `${i + 1} tokens`).toEqual(together[i]);
    expect(await tokens([...rows].reverse(), { temperature })).toEqual([...together].reverse());
  });

  it("leaves a base row untouched by an adapter that is there for others", async () => {
    const base = await generator.generate([row(prompt, 5)], options());
    const [beside, adapted] = await tokens([row(prompt, 5), row(prompt, 5, true)]);
    expect(beside).toEqual(base[0]!.tokens);
    expect(adapted).not.toEqual(beside);
    const bare = await Generator.create(openNode(), config, weights, null, MAX_POSITIONS);
    expect((await bare.generate([row(prompt, 5)], options()))[0]!.tokens).toEqual(base[0]!.tokens);
    await bare.dispose();
  });

  it("ends a row at a stop token, which is not part of its text, while others go on", async () => {
    const rows = [row(prompt, 1), row(prompt, 2), row(batch.rows[1]!, 3)];
    const free = await tokens(rows);
    const stop = free[0]!.find((t) => !free[2]!.includes(t))!; // one that another row never draws
    const seen: [number, number][] = [];
    const stopped = await generator.generate(rows, options({ stopTokenIds: [stop], onToken: (r, t) => void seen.push([r, t]) }), adapter);
    free.forEach((all, i) => {
      const at = all.indexOf(stop);
      expect(stopped[i]).toEqual(at < 0 ? { tokens: all, stop: "length" } : { tokens: all.slice(0, at), stop: "end", stopToken: stop });
    });
    expect(stopped[0]!.stop).toBe("end");
    expect(stopped[2]!.stop).toBe("length");
    expect(seen.some(([, t]) => t === stop)).toBe(false);
  });

  it("may end at once, with no text", async () => {
    const [first] = await tokens([row(prompt)], { temperature: 0, maxNewTokens: 1 });
    expect(await generator.generate([row(prompt)], options({ temperature: 0, stopTokenIds: first! }))).toEqual([{ tokens: [], stop: "end", stopToken: first![0] }]);
  });

  it.each([0, 1, 5])("writes at most %d tokens, the beginning of a longer text", async (maxNewTokens) => {
    const [short] = await generator.generate([row(prompt)], options({ maxNewTokens }));
    expect(short).toEqual({ tokens: (await tokens([row(prompt)]))[0]!.slice(0, maxNewTokens), stop: "length" });
  });

  it("stops when asked, with what it has", async () => {
    const full = await tokens([row(prompt, 1), row(prompt, 2)]);
    let drawn = 0;
    const out = await generator.generate([row(prompt, 1), row(prompt, 2)], options({ onToken: () => void drawn++, stopped: () => drawn >= 6 }), adapter);
    expect(out).toEqual(full.map((t) => ({ tokens: t.slice(0, 3), stop: "stopped" })));
    expect(await generator.generate([row(prompt)], options({ stopped: () => true }))).toEqual([{ tokens: [], stop: "stopped" }]);
  });

  it("hands out every token in order, row by row, and waits for the reader", async () => {
    const rows = [row(prompt, 1), row(batch.rows[1]!, 2), row(batch.rows[2]!, 3)];
    const seen: [number, number][] = [];
    let reading = false;
    const out = await generator.generate(rows, options({
      maxNewTokens: 4,
      onToken: async (r, t) => {
        expect(reading).toBe(false);
        reading = true;
        await new Promise((resolve) => setImmediate(resolve));
        reading = false;
        seen.push([r, t]);
      },
    }));
    expect(seen).toEqual([0, 1, 2, 3].flatMap((i) => out.map((o, r) => [r, o.tokens[i]])));
  });

  it("passes on what a reader throws, and can be used after it", async () => {
    await expect(generator.generate([row(prompt)], options({ onToken: () => { throw new Error("reader gone"); } }))).rejects.toThrow("reader gone");
    expect(await tokens([row(prompt)])).toHaveLength(1);
  });

  it("refuses prompts that are empty or leave no room, and writes up to the last position", async () => {
    const long = (n: number) => Array.from({ length: n }, (_, i) => 1 + (i % 90));
    for (const ids of [[], long(MAX_POSITIONS), long(MAX_POSITIONS + 9)]) {
      await expect(generator.generate([row(prompt), row(ids)], options())).rejects.toMatchObject({ code: "generate/too-long" });
    }
    expect((await generator.generate([row(long(MAX_POSITIONS - 1))], options()))[0]).toMatchObject({ tokens: [expect.any(Number)], stop: "length" });
    expect((await generator.generate([row(long(MAX_POSITIONS - 3))], options()))[0]!.tokens).toHaveLength(3);
  });

  it("refuses to write adapted rows without the whole adapter", async () => {
    await expect(generator.generate([row(prompt, 1, true)], options())).rejects.toMatchObject({ code: "generate/no-adapter" });
    const part = new Map(adapter);
    part.delete("layers.1.mlp.down_proj.lora_B");
    await expect(generator.generate([row(prompt, 1, true)], options(), part)).rejects.toMatchObject({ code: "generate/no-adapter" });
    expect(await generator.generate([row(prompt)], options({ maxNewTokens: 1 }), part)).toHaveLength(1);
  });

  it("has nothing to do without rows", async () => {
    expect(await generator.generate([], options())).toEqual([]);
  });

  it("says so when the model's numbers are none", async () => {
    const broken = new Map([...adapter].map(([name, data]) => [name, data.map(() => NaN)]));
    await expect(generator.generate([row(prompt, 1, true)], options(), broken)).rejects.toMatchObject({ code: "generate/not-a-number" });
  });

  it("writes up to the last position in every row, however long its neighbours' prompts are", async () => {
    const long = Array.from({ length: MAX_POSITIONS - 2 }, (_, i) => 1 + (i % 90));
    const [short, end] = await tokens([row(prompt, 1), row(long, 2)], { maxNewTokens: 1000 });
    expect(short).toHaveLength(MAX_POSITIONS - prompt.length);
    expect(end).toHaveLength(2);
    expect(short).toEqual((await tokens([row(prompt, 1)], { maxNewTokens: 1000 }))[0]);
  });

  it("writes in a row what it writes alone, with every option and rows that end at different times", async () => {
    const changes: Partial<GenerationOptions> = {
      temperature: 1.2, topK: 40, topP: 0.97, minP: 0.02, repetitionPenalty: 1.2, banned: [[3], [5, 9]], stopTokenIds: [2, 11, 17, 23, 29, 31, 37, 41], maxNewTokens: 24, logProbs: true,
    };
    const rows = Array.from({ length: 9 }, (_, i) => row(prompt.slice(0, 1 + (i % 5)), `every-${i}`, i % 2 === 1));
    const together = await generator.generate(rows, options(changes), adapter);
    expect(new Set(together.map((r) => r.tokens.length)).size).toBeGreaterThan(3);
    for (const [i, r] of rows.entries()) {
      const [alone] = await generator.generate([r], options(changes), adapter);
      expect({ ...alone, logProbs: null }).toEqual({ ...together[i], logProbs: null });
      alone!.logProbs!.forEach((p, k) => (["model", "tempered", "sampled"] as const).forEach((which) => expect(Math.abs(p[which] - together[i]!.logProbs![k]![which])).toBeLessThan(1e-4)));
    }
  });

  it("reads a prompt that many rows share once, and writes what each would alone", async () => {
    const rows = Array.from({ length: 5 }, (_, i) => row(i === 3 ? batch.rows[1]! : prompt, i, i < 2));
    const together = await tokens(rows);
    for (const [i, r] of rows.entries()) expect((await tokens([r]))[0]).toEqual(together[i]);
  });

  it("gives the log-probability of every token drawn, as scoring gives it", async () => {
    const execution = await openExecution(openNode(), { config, weights }, { lora, dropout: 0, maxPositions: MAX_POSITIONS, tokens: [] });
    const rows = [row(prompt, 1), row(batch.rows[1]!, 2, true)];
    const free = await generator.generate(rows, options({ temperature: 0.7, topK: 20, logProbs: true }), adapter);
    const stop = free[1]!.tokens[5]!;
    const out = await generator.generate(rows, options({ temperature: 0.7, topK: 20, logProbs: true, stopTokenIds: [stop] }), adapter);
    for (const [i, { tokens: drawn, logProbs, stopToken }] of out.entries()) {
      const completionIds = stopToken === undefined ? drawn : [...drawn, stopToken];
      expect(logProbs).toHaveLength(completionIds.length);
      const [score] = await scoreTexts(execution, [{ promptIds: rows[i]!.promptIds, completionIds, completionBytes: 1 }], rows[i]!.adapted ? adapter : null);
      score!.tokenLogProbs.forEach((p, k) => expect(Math.abs(p - logProbs![k]!.model)).toBeLessThan(1e-4));
      expect(logProbs!.some((p) => Math.abs(p.model - p.tempered) > 0.01 && p.sampled > p.tempered)).toBe(true);
    }
    expect(out[1]!.stopToken).toBe(stop);
    await execution.dispose();
  });

  it("cuts the text before a stop string, and shows no part of it", async () => {
    const letters = { stream: () => {
      let text = "";
      return { push: (id: number) => (text += `<${id}>`), finish: () => text };
    } };
    const [free] = await generator.generate([row(prompt, 4)], options({ tokenizer: letters }));
    expect(free!.text).toBe(free!.tokens.map((t) => `<${t}>`).join(""));
    const stopString = `${free!.tokens[3]!}><${String(free!.tokens[4]!).slice(0, 1)}`; // spans two tokens, begins and ends inside one
    const shown: string[] = [];
    const [cut] = await generator.generate([row(prompt, 4)], options({ tokenizer: letters, stopStrings: ["never there", stopString], onText: (_, text) => void shown.push(text) }));
    const at = free!.text!.indexOf(stopString);
    expect(cut).toMatchObject({ stop: "end", text: free!.text!.slice(0, at) });
    expect(cut!.tokens).toEqual(free!.tokens.slice(0, cut!.tokens.length));
    expect(cut!.tokens.length).toBeLessThan(free!.tokens.length);
    expect(shown.every((text) => cut!.text!.startsWith(text))).toBe(true);
    await expect(generator.generate([row(prompt)], options({ stopStrings: ["x"] }))).rejects.toMatchObject({ code: "generate/options" });
  });

  it("writes with merged weights what it writes unmerged", async () => {
    const merged = new Map([...weights].map(([name, data]) => [name, data.slice()]));
    for (const { name, out, in: width } of adaptedModules(config, lora.targetModules)) {
      const [a, b] = [adapter.get(`${name}.lora_A`)!, adapter.get(`${name}.lora_B`)!];
      const weight = merged.get(`model.${name}.weight`)!; // [out, in]
      for (let o = 0; o < out; o++) {
        for (let k = 0; k < width; k++) {
          for (let r = 0; r < lora.rank; r++) weight[o * width + k]! += (lora.alpha / lora.rank) * b[o * lora.rank + r]! * a[r * width + k]!;
        }
      }
    }
    const bare = await Generator.create(openNode(), config, merged, null, MAX_POSITIONS);
    const wanted = options({ temperature: 1, logProbs: true });
    const [unmerged] = await generator.generate([row(prompt, 8, true)], wanted, adapter);
    const [plain] = await bare.generate([row(prompt, 8)], wanted);
    await bare.dispose();
    expect(plain!.tokens).toEqual(unmerged!.tokens);
    plain!.logProbs!.forEach((p, i) => expect(Math.abs(p.model - unmerged!.logProbs![i]!.model)).toBeLessThan(1e-4));
  });

  it("writes the same streamed", async () => {
    const streamed = await Generator.create(openNode(), config, weights, lora, MAX_POSITIONS, { execution: "streamed" });
    const rows = [row(prompt, 1), row(prompt, 2, true), row(batch.rows[1]!, 3, true)];
    for (const temperature of [0, 0.9]) {
      expect((await streamed.generate(rows, options({ temperature }), adapter)).map((r) => r.tokens)).toEqual(await tokens(rows, { temperature }));
    }
    await streamed.dispose();
  });

  it("keeps nothing of a call, however it ends", async () => {
    const before = liveDeviceTensors();
    for (let i = 0; i < 20; i++) {
      await generator.generate([row(prompt, i), row(prompt, i + 1, true)], options({ maxNewTokens: 3 }), adapter);
      await generator.generate([row(prompt, i, true)], options({ onToken: () => { throw new Error("gone"); } }), adapter).catch(() => undefined);
    }
    expect(liveDeviceTensors()).toBe(before);
  });
});
