/**
 * The whole way from prepared tokens to a finished folder, in miniature, on the
 * Node engine; with DUCTUS_PYTHON set also from the corpus itself, with PyTorch
 * going on where the Node engine stopped, and transformers opening the folder.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { manifestSchema } from "../../lib/train/model/manifest";
import { openNode } from "../../lib/train/runtime/node";
import { checkpointSteps, readCheckpoint } from "./checkpoint";
import { readDocuments, readTokens } from "./corpus";
import { checkExport } from "./export-check";
import { parseSettings, pretrain, type Result, type Settings } from "./pretrain";
import { readRecipe, type Recipe } from "./recipe";
import { isHeldOut, MINIATURE, miniatureDocuments, TOKENIZER_URL, writeMiniatureCorpus, writePrepared } from "./testing/miniature";

const python = process.env["DUCTUS_PYTHON"];
const folder = mkdtempSync(join(tmpdir(), "ductus-pretrain-"));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
// Transformers is asked in one test; it takes ten seconds to begin.
const withoutPython = () => void vi.stubEnv("DUCTUS_PYTHON", undefined);
const at = (name: string) => join(folder, name);
const recipe = readRecipe(MINIATURE);

const settings = (name: string, change: Partial<Settings> = {}): Settings => ({ ...parseSettings(["--work", at(name), "--out", at(`${name}-out`), "--recipe", MINIATURE, "--engine", "node", "--threads", "1", "--no-samples"]), ...change });

async function run(name: string, change: Partial<Settings> = {}, stopAt?: RegExp): Promise<{ result: Result | null; told: string[] }> {
  const stop = new AbortController(), told: string[] = [];
  const progress = (text: string) => {
    told.push(text);
    if (stopAt?.test(text)) stop.abort();
  };
  try {
    return { result: await pretrain(settings(name, change), stop.signal, progress), told };
  } catch (error) {
    if (stop.signal.aborted) return { result: null, told };
    throw error;
  }
}

/** A recipe file that differs from the miniature's. */
function recipeFile(name: string, change: (recipe: Recipe) => void): string {
  const copy = readRecipe(MINIATURE);
  change(copy);
  writeFileSync(at(name), JSON.stringify(copy));
  return at(name);
}

describe("one command", () => {
  let whole: Result | null;
  beforeAll(async () => {
    withoutPython();
    writePrepared(at("whole"));
    ({ result: whole } = await run("whole", { samples: true }));
  });

  it("makes a folder that a manifest can list", () => {
    expect(whole).toMatchObject({ step: 12, steps: 12 });
    expect(() => manifestSchema.parse({ version: 1, models: [whole?.exported?.entry] })).not.toThrow();
    expect(readdirSync(at("whole-out")).sort()).toEqual(["README.md", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]);
    expect(whole?.exported?.check.rounding).toBeGreaterThan(0);
    const steps = readFileSync(at("whole/log.jsonl"), "utf8").trim().split("\n").map((line) => (JSON.parse(line) as { step: number }).step);
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it("tells in the model card what the model was made from and what it writes", () => {
    const card = readFileSync(at("whole-out/README.md"), "utf8");
    const tokens = readDocuments(at("whole"), "train").reduce((sum, one) => sum + one.tokens, 0);
    for (const fact of ["# Miniature", "license: cc-by-sa-4.0", "25,792 parameters", `${tokens.toLocaleString("en-US")} training tokens`, "| Night Bread, texts written for the tests |", "Apache-2.0", "after 12 steps", "Write with these words: kettle", "Seed 1:"]) expect(card).toContain(fact);
    expect(card).not.toContain("unknown");
    expect(card).not.toMatch(/NaN|undefined|null/);
  });

  it("goes on where it was stopped, and comes to the same weights", async () => {
    writePrepared(at("cut"));
    expect((await run("cut", { until: 3 })).result).toMatchObject({ step: 3, exported: null });
    expect((await run("cut", {}, /^train: step 4/)).result).toBe(null);
    expect(checkpointSteps(at("cut")).at(-1)).toBe(4);
    const { result, told } = await run("cut");
    expect(told).toContain("forms: done before");
    expect(result?.exported?.entry.sha256).toBe(whole?.exported?.entry.sha256);
  });

  it("does nothing again that is done, and all of it that is gone", async () => {
    const before = statSync(at("whole/forms_train.bin")).mtimeMs;
    const { told } = await run("whole");
    expect(told).toEqual(expect.arrayContaining(["forms: done before", "train: 12 steps were done before"]));
    expect(statSync(at("whole/forms_train.bin")).mtimeMs).toBe(before);
    cpSync(at("whole"), at("gone"), { recursive: true });
    const forms = readFileSync(at("gone/forms_train.bin"));
    rmSync(at("gone/forms_train.bin"));
    expect((await run("gone")).told).not.toContain("forms: done before");
    expect(readFileSync(at("gone/forms_train.bin")).equals(forms)).toBe(true);
  });

  it("lets a run be longer while nothing hangs on its length, and no other recipe go on with its weights", async () => {
    cpSync(at("whole"), at("other"), { recursive: true });
    await expect(run("other", { recipe: recipeFile("rate.json", (r) => (r.muon.lr = 0.03)) })).rejects.toThrow("rates are not the same");
    await expect(run("other", { recipe: recipeFile("long.json", (r) => (r.decay.steps = 6)) })).rejects.toThrow("had other lengths");
    writePrepared(at("stable"));
    await run("stable", { until: 3 });
    await expect(run("stable", { recipe: recipeFile("short.json", (r) => (r.stable.steps = 2)) })).rejects.toThrow("step 3 of the stable phase");
    await expect(run("stable", { recipe: recipeFile("warm.json", (r) => (r.stable.warmupSteps += 1)) })).rejects.toThrow("rates are not the same");
    expect((await run("stable", { recipe: recipeFile("shape.json", (r) => (r.decay.shape = "cosine")), until: 4 })).result).toMatchObject({ step: 4 });
    expect((await run("stable", { recipe: recipeFile("longer.json", (r) => (r.stable.steps = 8)), until: 7 })).result).toMatchObject({ step: 7, steps: 14 });
  });

  it("needs a corpus, or what was made from one", async () => {
    await expect(run("empty")).rejects.toThrow("has no tokenizer.json, no train.bin");
    await expect(run("empty", { corpus: at("nowhere.jsonl") })).rejects.toThrow("There is no corpus");
    await expect(run("stable", { corpus: MINIATURE })).rejects.toThrow("trained on other data");
  });

  it("refuses what it does not know", () => {
    for (const argv of [["--work", "a"], ["--work", "a", "--out", "b", "--engine", "abacus"], ["--work", "a", "--out", "b", "--threads", "0"], ["--work", "a", "--out", "b", "--fast"]]) expect(() => parseSettings(argv)).toThrow();
  });
});

describe("the check of an export", () => {
  it("finds weights that are not the trained ones", async () => {
    const { weights } = readCheckpoint(at("whole"), recipe, 12);
    const backend = openNode(1), never = new AbortController().signal;
    expect((await checkExport(backend, recipe, at("whole"), at("whole-out"), weights, never)).transformers).toBe(null);
    const name = "model.layers.1.mlp.down_proj.weight";
    const other = new Map([...weights, [name, (weights.get(name) as Float32Array).map((value, i) => (i === 7 ? 1.002 * value : value))]]);
    await expect(checkExport(backend, recipe, at("whole"), at("whole-out"), other, never)).rejects.toThrow(`“${name}” in the exported model is not what was trained`);
  });

  it("finds a configuration that is not the trained one", async () => {
    cpSync(at("whole-out"), at("wrong-out"), { recursive: true });
    const config = JSON.parse(readFileSync(at("wrong-out/config.json"), "utf8")) as Record<string, unknown>;
    writeFileSync(at("wrong-out/config.json"), JSON.stringify({ ...config, rope_parameters: { rope_theta: 100, rope_type: "default" } }));
    await expect(checkExport(openNode(1), recipe, at("whole"), at("wrong-out"), readCheckpoint(at("whole"), recipe, 12).weights, new AbortController().signal)).rejects.toThrow("differ from those of the checkpoint");
  });
});

describe.runIf(python)("with Python", () => {
  beforeAll(() => void vi.stubEnv("DUCTUS_PYTHON", python));

  it("prepares the corpus by document, and goes on with PyTorch from the Node engine's checkpoint", async () => {
    writeMiniatureCorpus(at("corpus.jsonl"));
    const corpus = at("corpus.jsonl");
    expect((await run("python", { corpus, until: 3 })).result).toMatchObject({ step: 3 });
    expect(readFileSync(at("python/tokenizer.json"), "utf8")).toBe(readFileSync(TOKENIZER_URL, "utf8"));
    writePrepared(at("ours"));
    for (const part of ["train", "held"] as const) {
      const [theirs, ours] = [documentsOf(at("python"), part), documentsOf(at("ours"), part)];
      expect([...theirs.keys()].sort()).toEqual(miniatureDocuments().filter(({ source }) => isHeldOut(source, recipe.heldOutModulo) === (part === "held")).map(({ source }) => source).sort());
      expect(theirs).toEqual(ours);
    }
    const { result, told } = await run("python", { corpus, engine: "torch", torchArgs: ["--plain", "--precision", "f32"] });
    expect(told).toContain("prepare: done before");
    expect(result).toMatchObject({ step: 12, exported: { check: { positions: 64 } } });
    expect(result?.exported?.check.transformers).toBeLessThan(1e-4);
  });
});

/** Tokens of each document, by source. */
function documentsOf(work: string, part: "train" | "held"): Map<string, number[]> {
  const tokens = readTokens(join(work, `${part}.bin`));
  let begin = 0;
  return new Map(readDocuments(work, part).map((one) => [one.source, [...tokens.subarray(begin, (begin += one.tokens))]]));
}
