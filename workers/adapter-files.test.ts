import { beforeEach, describe, expect, it, vi } from "vitest";
import { strFromU8, unzipSync } from "fflate";
import { lossIntervals, type Measurement } from "../lib/eval/measurement";
import type { Hand, Run, RunSample, Score, StoredAdapter, StoredModel } from "../lib/store/types";
import { info, randomAdapter, tinyModel, tinySha256 } from "../lib/train/testing/adapter";
import { openAdapter, packAdapter, zipPeft } from "../lib/train/adapter/file";
import { adapterToPeft } from "../lib/train/adapter/peft";

const adapter = randomAdapter(3);
const base = { id: "ductus-base", name: "Ductus Base", sha256: tinySha256, config: tinyModel };
let hand: Hand;
let models: Pick<StoredModel, "id" | "name">[];
let stored: StoredAdapter;
let run: Partial<Run> | null;
let samples: RunSample[];
let measurement: { content: unknown } | null;
/** Models that were opened, by their hashes. */
const opened: string[] = [];
const kept: Omit<StoredAdapter, "id" | "createdAt">[] = [];

vi.mock("../lib/store/hands", () => ({ getHand: () => Promise.resolve(hand) }));
vi.mock("../lib/store/models", () => ({ listModels: () => Promise.resolve(models) }));
vi.mock("../lib/store/measurements", () => ({ getMeasurement: () => Promise.resolve(measurement) }));
vi.mock("../lib/store/runs", () => ({ getRun: () => Promise.resolve(run), listSamples: () => Promise.resolve(samples) }));
vi.mock("../lib/store/adapters", () => ({ getAdapter: () => Promise.resolve(stored), saveAdapter: (input: (typeof kept)[number]) => (kept.push(input), Promise.resolve({ ...input, id: "new" })) }));
vi.mock("./resources", () => ({
  embeddedEntry: () => Promise.resolve({ id: "ductus-base", sha256: tinySha256 }),
  identify: (ref?: { id: string; name: string }) => Promise.resolve(ref === undefined ? { id: "ductus-base", sha256: tinySha256 } : { id: ref.name, sha256: ref.id }),
  isHere: (sha256: string) => Promise.resolve(sha256 === tinySha256 || models.some(({ id }) => id === sha256)),
}));
vi.mock("./adapter-use", () => ({ fitAdapter: (_: unknown, found: { adapter: unknown }) => ({ adapter: found.adapter, addedTokens: [] }), tokenizerFor: () => Promise.resolve() }));
vi.mock("./writing", () => ({
  baseOf: (model: { entry: typeof base }) => ({ ...base, id: model.entry.id, name: model.entry.name, sha256: model.entry.sha256 }),
  openModel: (sha256: string, id: string) => (opened.push(sha256), Promise.resolve({ entry: { ...base, id, sha256, name: id === "ductus-base" ? base.name : id }, config: tinyModel })),
  openStored: () => Promise.resolve({ model: { entry: base }, adapter, addedTokens: [], info, name: stored.name }),
}));
const { exportFile, exportPeft, importAdapter } = await import("./adapter-files");

const OTHER = "b".repeat(64);
const folder = (named: string): Uint8Array => zipPeft(adapterToPeft(adapter, { ...info, modelId: named }));

beforeEach(() => {
  hand = { id: "h", name: "h", source: "own", createdAt: 1, seed: 1 };
  models = [{ id: OTHER, name: "Qwen2.5-0.5B" }];
  stored = { id: "a", handId: "h", runId: "r", name: "A gardener", createdAt: 1, modelId: "ductus-base", modelSha256: tinySha256, file: packAdapter(adapter, info) };
  run = { id: "r", trainExamples: 41, heldOutExamples: 5 };
  samples = [0, 10, 20, 30, 40].map((step) => ({ runId: "r", step, prompt: "Continue:\n\nThe gate", text: `text ${step}` }));
  measurement = null;
  opened.length = kept.length = 0;
});

describe("an adapter brought in", () => {
  it("is checked against the model it names: by its hash, by its name, else the hand's", async () => {
    expect(await importAdapter("h", "mine", packAdapter(adapter, info))).toEqual({ id: "new", model: "Ductus Base" });
    expect(await importAdapter("h", "mine", folder("ductus-base"))).toEqual({ id: "new", model: "Ductus Base" });
    expect(await importAdapter("h", "mine", folder("Qwen/Qwen2.5-0.5B"))).toEqual({ id: "new", model: "Qwen2.5-0.5B" });
    expect(await importAdapter("h", "mine", folder("/somewhere/else"))).toEqual({ id: "new", model: "Ductus Base", otherBase: "else" });
    hand = { ...hand, model: { id: OTHER, name: "Qwen2.5-0.5B" } };
    expect(await importAdapter("h", "mine", folder("else"))).toEqual({ id: "new", model: "Qwen2.5-0.5B", otherBase: "else" });
    expect(await importAdapter("h", "mine", folder("ductus-base"))).toEqual({ id: "new", model: "Ductus Base" });
    expect(opened).toEqual([tinySha256, tinySha256, OTHER, tinySha256, OTHER, tinySha256]);
    expect(kept.map(({ modelSha256, name }) => [modelSha256, name])).toEqual(opened.map((sha256) => [sha256, "mine"]));
  });

  it("for a model that is not here is refused by the hash", async () => {
    await expect(importAdapter("h", "mine", packAdapter(adapter, { ...info, modelId: "gone", modelSha256: "c".repeat(64) }))).rejects.toMatchObject({ code: "adapter/other-model" });
    expect(kept).toEqual([]);
  });
});

describe("an adapter taken away", () => {
  it("carries the name that it has now, and not the one before", async () => {
    const file = await exportFile("a");
    expect(openAdapter(file, base).info).toEqual({ ...info, name: "A gardener" });
    expect(Buffer.from(file).includes(info.name)).toBe(false);
    stored = { ...stored, file: Uint8Array.of(1, 2, 3) };
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    expect(await exportFile("a"), "one that cannot be read is handed out as it is").toEqual(stored.file);
  });

  const card = async (withTexts: boolean): Promise<string> => strFromU8(unzipSync(await exportPeft("a", withTexts))["README.md"]!);

  it("has a card with counts, and with texts only where they are wanted: before, and at the state that was kept", async () => {
    const plain = await card(false);
    expect(plain).toContain("| examples learned from | 41 |");
    expect(plain).not.toMatch(/The gate|text \d/);
    const told = await card(true);
    expect(told).toContain("text 0");
    expect(told, `the state kept is that of step ${String(info.steps)}`).toContain("text 30");
    expect(told).not.toMatch(/text (10|20|40)/);
  });

  it("has the figures and intervals that were measured of it, if any were", async () => {
    const unmeasured = await card(false);
    expect(unmeasured).not.toContain("confidence");
    const system = (id: string, nats: number) => ({ scores: { id, name: id, tokenizer: "t", passages: Array.from({ length: 8 }, (_, i) => ({ id: `p${i}`, documentId: `d${i}`, tokens: 10, nats: nats + i, bytes: 40 })) }, texts: [] });
    const content: Measurement = { version: 1, basis: "b", model: tinySha256, base: system("base", 40), tuned: system("a", 30), own: [] };
    const score = (loss: number): Score => ({ loss, perplexity: Math.exp(loss), bitsPerByte: 1.5, tokens: 80, bytes: 320, examples: 8 });
    measurement = { content };
    stored = { ...stored, report: { base: score(4.35), tuned: score(3.35) } };
    const told = await card(false);
    const { tuned: [low, high] } = lossIntervals(content, hand.seed)!;
    expect(told).toContain(`| with this adapter | 3.3500 (${low.toFixed(4)}–${high.toFixed(4)}) |`);
    expect(told).toContain("(8 examples, 80 tokens)");
    expect(told).toContain("with 95 % confidence");
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    measurement = { content: { ...content, own: null } };
    expect(await card(false), "what cannot be read is not told").toBe(unmeasured);
    measurement = { content };
    stored = { ...stored };
    delete stored.runId;
    expect(await card(false), "nor what was measured of one that was brought in").not.toContain("confidence");
  });

  it("says nothing of a run that is not known, or wrote nothing yet", async () => {
    samples = samples.slice(0, 1);
    expect(await card(true)).not.toContain("What it wrote");
    run = null;
    expect(await card(true)).not.toMatch(/examples learned from|What it wrote/);
  });
});
