/** The parts of the suite one by one, on made-up documents and a tiny model; and the suite itself. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../../lib/core/random";
import { prose } from "../../../lib/data/testing/prose";
import { contentWords } from "../../../lib/data/forms";
import { openNode } from "../../../lib/train/runtime/node";
import { loadFolderWeights } from "../../cli/model-folder";
import { positionLogits } from "../../cli/position-logits";
import { writeTinyModel } from "../../cli/testing/folders";
import { run } from "../base-model";
import type { Measure } from "../measure";
import { isHeldOut, readCorpus, trainingTokens, type CorpusDocument } from "./corpus";
import { stretchesOf } from "./diversity";
import { drawKeyWords, heldOutKeyWords, usedWords } from "./keywords";
import { codeWithNgrams } from "./kn5";
import { Subject } from "./subject";
import { bitsPerByte, byPosition, codeDocuments, POSITION_EDGES, windowsOf, type HeldDocument } from "./windows";

let folder: string;
const at = (name: string) => join(folder, name);

/** Sources whose hash says that they are held out; found by counting. */
const HELD = ["made-up/200", "made-up/372", "made-up/382"];
const DOCUMENTS: CorpusDocument[] = [
  { kind: "book", source: HELD[0]!, text: prose("held", 40) },
  { kind: "book", source: "made-up/1", text: prose("train", 60) },
  { kind: "dialogue", source: HELD[1]!, text: "A: Can you find me a table for two?\nB: For when?\nA: Tonight, at seven." },
  { kind: "chat", source: "made-up/2", text: "a: is anyone here\nb: no" },
  { kind: "chat", source: HELD[2]!, text: "c: naïve café 🙂\nd: ok" },
];

async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ductus-base-model-"));
  writeTinyModel(at("model"), 3, { max_position_embeddings: 2048 });
  writeFileSync(at("corpus.jsonl"), DOCUMENTS.map((document) => `${JSON.stringify(document)}\n`).join(""));
});
afterAll(() => rmSync(folder, { recursive: true }));

const open = () => Subject.open(at("model"), () => undefined);
const held = ({ tokenizer }: Subject): HeldDocument[] => DOCUMENTS.filter(isHeldOut).map(({ kind, source, text }) => ({ kind, source, text, ids: tokenizer.encode(text), bytes: Buffer.byteLength(text) }));

describe("the corpus", () => {
  it("holds out whole documents by the hash of their source", () => {
    // int(sha256(source).hexdigest(), 16) % 100, by Python
    expect(["sgd/61_00098", "sgd/16_00070", "Lewis Carroll/Through the Looking-Glass", "peps/pep-3100.rst", ...HELD].map((source) => isHeldOut({ source }))).toEqual([false, false, true, true, true, true, true]);
  });

  it("is read plain, packed by xz, and not at all where a line is something else", async () => {
    expect(await gather(readCorpus(at("corpus.jsonl")))).toEqual(DOCUMENTS);
    if (spawnSync("xz", ["--keep", at("corpus.jsonl")]).status === 0) expect(await gather(readCorpus(at("corpus.jsonl.xz")))).toEqual(DOCUMENTS);
    writeFileSync(at("bad.jsonl"), `${JSON.stringify({ ...DOCUMENTS[0], kind: "poem" })}\n`);
    await expect(gather(readCorpus(at("bad.jsonl")))).rejects.toThrow(/line 1/);
    writeFileSync(at("bad.xz"), "not packed");
    await expect(gather(readCorpus(at("bad.xz")))).rejects.toThrow(/xz/);
  });

  it("gives the training part as tokens, which are kept, and takes those of a work folder", async () => {
    const { tokenizer, endId } = await open();
    const sources = { corpus: at("corpus.jsonl"), model: at("model"), cache: at("cache"), work: undefined };
    const expected = DOCUMENTS.filter((document) => !isHeldOut(document)).flatMap(({ text }) => [...tokenizer.encode(text), endId]);
    const made = await trainingTokens(sources, tokenizer, endId, () => undefined);
    expect([...made.tokens]).toEqual(expected);
    expect(readdirSync(at("cache"))).toHaveLength(1);
    const again = await trainingTokens(sources, { ...tokenizer, encode: () => [] }, endId, () => undefined);
    expect(again.tokens).toEqual(made.tokens);

    writeFileSync(at("model/train.bin"), Uint16Array.of(5, 6, endId));
    expect([...(await trainingTokens({ ...sources, work: at("model") }, tokenizer, endId, () => undefined)).tokens]).toEqual([5, 6, endId]);
    const other = JSON.parse(readFileSync(at("model/tokenizer.json"), "utf8")) as { model: { merges: unknown[] } };
    other.model.merges.pop();
    writeFileSync(at("tokenizer.json"), JSON.stringify(other));
    await expect(trainingTokens({ ...sources, work: folder }, tokenizer, endId, () => undefined)).rejects.toThrow(/another tokenizer/);
  });
});

describe("windows", () => {
  it.each([0, 1, 5, 7, 8, 9, 30, 33])("score every token of %i and the end once, all but the first window's with enough before them", (length) => {
    const [end, context, stride] = [99, 8, 4];
    const ids = Array.from({ length }, (_, i) => i);
    const windows = windowsOf(ids, end, context, stride);
    expect(windows.flatMap(({ completionIds }) => completionIds)).toEqual([...ids, end]);
    const all = [end, ...ids, end];
    let from = 1;
    windows.forEach(({ promptIds, completionIds }, i) => {
      expect(promptIds).toEqual(all.slice(i * stride, from));
      expect(promptIds.length).toBe(i === 0 ? 1 : context - stride);
      expect(promptIds.length + completionIds.length).toBeLessThanOrEqual(context);
      from += completionIds.length;
    });
  });

  it("give the bits of the logits, window by window", async () => {
    const subject = await open();
    const documents = held(subject).map((document) => ({ ...document, ids: document.ids.slice(0, 50) }));
    const [context, stride] = [16, 8];
    const coded = await codeDocuments(subject, documents, context, stride);
    const weights = await loadFolderWeights(subject.folder, () => undefined);
    for (const [i, { ids }] of documents.entries()) {
      const all = [subject.endId, ...ids, subject.endId];
      let bits = 0, tokens = 0;
      for (let start = 0, done = 1; done < all.length; start += stride) {
        const window = all.slice(start, start + context);
        let t = 0;
        for await (const logits of positionLogits(openNode(), subject.folder.config, weights, null, window)) {
          const next = start + ++t;
          if (t === window.length || next < done) continue;
          bits += (Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - logits[all[next]!]!) / Math.LN2;
          tokens++;
        }
        done = start + window.length;
      }
      expect(tokens).toBe(ids.length + 1);
      expect(coded[i]).toMatchObject({ tokens, kind: documents[i]!.kind, bytes: documents[i]!.bytes });
      expect(Math.abs(coded[i]!.bits / bits - 1)).toBeLessThan(1e-5);
    }
  });

  it("are pooled by bytes", () => {
    expect(bitsPerByte([{ bits: 10, bytes: 5 }, { bits: 10, bytes: 20 }])).toBe(0.8);
  });

  it("give bits per byte by position", async () => {
    const subject = await open();
    const [long] = held(subject);
    expect(long!.ids.length).toBeGreaterThan(2 * 1024 + 10);
    const { buckets, windows } = await byPosition(subject, [long!, { ...long!, ids: long!.ids.slice(0, 500) }]);
    expect(windows).toBe(Math.floor(long!.ids.length / 1024));
    expect(buckets.map(({ from }) => from)).toEqual(POSITION_EDGES.slice(0, -1));
    expect(buckets.at(-1)!.to).toBe(1024);
    // The first bucket's tokens scored alone: 1 to 15 before them.
    const short = Array.from({ length: windows }, (_, w) => [subject.endId, ...long!.ids].slice(w * 1024, w * 1024 + 16));
    const scores = await subject.score(short.map((ids) => ({ promptIds: ids.slice(0, 1), completionIds: ids.slice(1), completionBytes: 0 })), 16);
    const first = -scores.reduce((sum, { logProb }) => sum + logProb, 0) / Math.LN2 / Buffer.byteLength(short.map((ids) => subject.tokenizer.decode(ids.slice(1))).join(""));
    expect(Math.abs(buckets[0]!.bitsPerByte / first - 1)).toBeLessThan(1e-5);
  });
});

describe("bytes of tokens", () => {
  it("are those of the text, whatever is in it", async () => {
    const { tokenizer, bytesOf } = await open();
    for (const { text } of DOCUMENTS) expect(tokenizer.encode(text).reduce((sum, id) => sum + bytesOf[id]!, 0)).toBe(Buffer.byteLength(text));
    for (const id of tokenizer.specialIds) expect(bytesOf[id]).toBe(0);
  });
});

describe("the 5-gram", () => {
  it("takes the discount that suits the text best, and says what it has never seen", () => {
    const random = new Random("kn5");
    const document = () => Array.from({ length: 200 }, (_, i) => 1 + ((i % 7) + (random.uniform() < 0.1 ? random.int(3) : 0)));
    const train = Uint16Array.from([document(), document()].flatMap((ids) => [...ids, 0]));
    const { bits, discount, unseen } = codeWithNgrams(train, 0, [{ ids: document() }, { ids: [1, 2, 3000, 3] }]);
    expect(bits).toHaveLength(2);
    expect(bits.every((value) => value > 0 && Number.isFinite(value))).toBe(true);
    expect(unseen).toBe(1);
    expect(discount).toBeLessThan(0.9); // what comes again and again is not discounted as rare things are
  });
});

describe("key words", () => {
  it("are drawn from each held-out passage of prose, the same every time", () => {
    const documents = DOCUMENTS.filter(isHeldOut);
    const drawn = heldOutKeyWords(documents, 20);
    expect(drawn).toHaveLength(20);
    expect(drawn).toEqual(heldOutKeyWords(documents, 20));
    const allowed = new Set(contentWords(documents[0]!.text));
    for (const words of drawn) {
      expect(new Set(words).size).toBe(4);
      expect(words.every((word) => allowed.has(word))).toBe(true);
    }
    expect(heldOutKeyWords(documents.filter(({ kind }) => kind !== "book"), 20)).toEqual([]);
  });

  it("come in order of appearance half the time", () => {
    const text = "kettle ladder harbour copper meadow shadow paper lantern";
    const random = new Random("order");
    const orders = Array.from({ length: 200 }, () => drawKeyWords(text, 4, random)!.map((word) => text.indexOf(word)));
    const inOrder = orders.filter((places) => places.join() === [...places].sort((a, b) => a - b).join()).length;
    expect(inOrder).toBeGreaterThan(75);
    expect(inOrder).toBeLessThan(135); // of the shuffled, one in 24 too
    expect(drawKeyWords("kettle and ladder", 4, random)).toBeNull();
  });

  it("are used where they stand whole, in any case; unasked, where another text has them without having been given them", () => {
    const given = [["winter", "kettle"], ["winter", "harbour"], ["meadow", "don't"]];
    const texts = ["WINTER came. The kettles sang.", "The kettle, and a harbour!", "Don’t go to the meadow; it is winter in the harbour."];
    expect(usedWords(given, texts)).toEqual([
      { given: 0.5, notGiven: 2 / 3 }, // winter: in the third (the second was given it); kettle: in the second, not the third
      { given: 0.5, notGiven: 2 / 3 }, // winter: in the third; harbour: in the third, not the first
      { given: 1, notGiven: 0 },
    ]);
  });
});

it("samples go on from stretches that do not overlap", () => {
  const documents = [{ ids: Array.from({ length: 1000 }, (_, i) => i) }, { ids: [5, 6] }, { ids: Array.from({ length: 264 }, (_, i) => 5000 + i) }];
  const stretches = stretchesOf(documents);
  expect(stretches.map(({ promptIds, humanIds }) => [promptIds.length, humanIds.length])).toEqual(Array(4).fill([64, 200]));
  expect(new Set(stretches.flatMap(({ promptIds, humanIds }) => [...promptIds, ...humanIds])).size).toBe(4 * 264);
  for (const { promptIds, humanIds } of stretches) expect(humanIds[0]).toBe(promptIds.at(-1)! + 1);
  expect(stretchesOf(documents, 2)).toEqual(stretches.slice(0, 2));
});

describe("the suite", () => {
  const lines = (only: string[], ...argv: string[]): Promise<Measure[]> => gather(run({ argv, wants: (name) => only.length === 0 || only.includes(name) }));
  const given = () => ["--model", at("model"), "--corpus", at("corpus.jsonl"), "--cache", at("cache")];

  it("yields a line for each measure asked for", async () => {
    const names = ["base.bpb", "base.bpb.book", "base.bpb.dialogue", "base.bpb.position", "base.vs_kn5"];
    const measures = (await lines(names, ...given(), "--most", "1500")).slice(1);
    expect(measures.map(({ name }) => name)).toEqual(names);
    for (const { value, error } of measures) {
      expect(error).toBeUndefined();
      expect(value).toBeGreaterThan(0);
    }
    const [all, , , , ngrams] = measures;
    expect(ngrams!.value).toBe(all!.value);
    expect(ngrams!.ratio).toBeCloseTo(all!.value! / ngrams!.baseline!, 3);
    expect(all).toMatchObject({ n: 3 });
  });

  it("says why a measure failed, and goes on with the next", async () => {
    const measures = (await lines(["base.bpb", "base.vs_kn5"], ...given(), "--work", at("nowhere"))).slice(1);
    expect(measures[0]!.value).toBeGreaterThan(0);
    expect(measures[1]).toMatchObject({ name: "base.vs_kn5", value: null, error: expect.stringContaining("nowhere") as string });
  });

  it("leaves out what needs a corpus that is not there", async () => {
    expect((await lines(["base.bpb", "base.vs_kn5"], "--corpus", at("none.jsonl"))).map(({ name }) => name)).toEqual(["base.machine"]);
    expect(existsSync(at("none.jsonl"))).toBe(false);
  });

  it("refuses a cut that is none", async () => {
    await expect(lines([], "--most", "0")).rejects.toThrow(RangeError);
  });

  it.runIf(process.env["DUCTUS_LONG"] === "1")("writes, measures what it wrote, and times a tab", async () => {
    const names = ["base.keywords", "base.distinct2", "base.copied", "base.load_ms"];
    const measures = (await lines(names, ...given())).slice(1);
    expect(measures.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(measures.map(({ name }) => name)).toEqual(names);
    expect(await lines(names.slice(0, 3), ...given())).toEqual([expect.anything(), ...measures.slice(0, 3)]);
  });
});
