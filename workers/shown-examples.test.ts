import "fake-indexeddb/auto";
import { readFileSync } from "node:fs";
import { deleteDB } from "idb";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { prose } from "../lib/data/testing/prose";
import { closeDatabase, DATABASE_NAME } from "../lib/store/db";
import { addDocuments, excludeDocuments, listDocuments, usedDocuments } from "../lib/store/documents";
import { chooseSplit, createHand, getHand, splitOptions } from "../lib/store/hands";
import { loadModelSettings } from "../lib/train/model/manifest";
import { createTokenizer } from "../lib/train/model/tokenizer";
import { prepareData } from "../lib/train/sft/prepare";
import { defaultConfig } from "../lib/train/sft/recipes";
import { cutsOf, showExamples } from "./shown-examples";

const publicFile = (url: string): Promise<Response> => Promise.resolve(new Response(readFileSync(new URL(`../public${new URL(url).pathname}`, import.meta.url))));
const fetched: string[] = [];

beforeEach(() => {
  vi.stubGlobal("self", { location: { origin: "http://site.test" } });
  vi.stubGlobal("fetch", (url: string) => {
    fetched.push(url);
    return publicFile(url);
  });
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await closeDatabase();
  await deleteDB(DATABASE_NAME);
});

it("shows the very examples of a run's first pass, with their tokens, and how a piece is cut", async () => {
  const { id } = await createHand({ name: "A", source: "own" });
  const added = await addDocuments(id, Array.from({ length: 12 }, (_, i) => ({ name: `p${i}`, text: prose(`topic${i}`, 4), words: 100 })));
  await excludeDocuments(id, new Map([[added[3]!.id, { reason: "You left it out.", by: "person" as const }]]));
  await chooseSplit(id, { train: 0.6, validation: 0.2, test: 0.2 }, 5);
  const hand = (await getHand(id))!;
  const documents = usedDocuments(await listDocuments(id));

  const { tokenizerJson, tokenizerConfig, entry } = await loadModelSettings("http://site.test/models", "ductus-base", publicFile);
  const tokenizer = createTokenizer(tokenizerJson, tokenizerConfig);
  const config = defaultConfig(entry.parameters, 1100);
  const { epochs } = await prepareData(documents, hand.seed, config, tokenizer, undefined, splitOptions(hand));
  const first = new Map(epochs[0]!.map((example) => [example.source.completion, example]));

  const { counts, examples } = await showExamples(id, 1, 4);
  expect(counts.continue + counts.keywords).toBe(epochs[0]!.length);
  expect(examples.slice(0, 2).map(({ form }) => form)).toEqual(["continue", "keywords"]);
  expect(examples).toHaveLength(4);
  for (const shown of examples) {
    const real = first.get(shown.completion)!;
    expect(shown).toMatchObject({ documentId: real.documentId, form: real.source.form, promptTokens: real.promptLength, maxTokens: config.maxLength });
    expect(shown.promptTokens + shown.completionTokens).toBe(real.ids.length);
    expect(shown.template).toContain(shown.prompt);
    expect(shown.template).toContain("<|im_start|>");
  }
  expect((await showExamples(id, 2, 4)).examples.map(({ completion }) => completion)).not.toEqual(examples.map(({ completion }) => completion));
  expect(fetched.filter((url) => url.endsWith("tokenizer.json"))).toHaveLength(1);
  expect(fetched.filter((url) => url.endsWith("safetensors"))).toEqual([]);

  const { documentId, completion } = examples[0]!;
  const { text } = documents.find((document) => document.id === documentId)!;
  const cuts = await cutsOf(id, documentId);
  expect(cuts.map(({ start }, i) => text.slice(start, cuts[i + 1]?.start ?? text.length).trim())).toContain(completion);
  expect(cuts.every(({ part }) => part === "train")).toBe(true);
});
