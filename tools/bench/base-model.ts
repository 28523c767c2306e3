/**
 * The embedded base model: `npm run bench -- base-model [--only NAME,…]
 * [--model DIR] [--corpus FILE] [--work DIR] [--cache DIR] [--most TOKENS]`.
 * Bits per byte of the pretraining corpus's held-out documents, by kind and
 * beside a Kneser–Ney 5-gram; key words used; variety and copying of what it
 * writes; how soon a tab writes. Named by --only alone: `base.bpb.position`.
 * All but `base.load_ms` need the corpus, and are left out without it. --work is
 * a work folder of pretraining, whose tokens are then used; --most cuts every
 * held-out document, for a quick look.
 */
import { existsSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { bootstrap } from "../../lib/eval/bootstrap";
import { isHeldOut, KINDS, readCorpus, trainingTokens, type CorpusDocument } from "./base-model/corpus";
import { copiedMeasure, distinctMeasure, drawSamples } from "./base-model/diversity";
import { measureKeyWords } from "./base-model/keywords";
import { codeWithNgrams, ORDER } from "./base-model/kn5";
import { measureLoad } from "./base-model/load";
import { rounded } from "./base-model/rounded";
import { Subject } from "./base-model/subject";
import { bitsPerByte, byPosition, codeDocuments, type Coded, type HeldDocument } from "./base-model/windows";
import { attempt, type BenchArgs, type Line, type Measure } from "./measure";

const root = fileURLToPath(new URL("../..", import.meta.url));
const CONTEXT = 512, STRIDE = 256;
const BPB = ["base.bpb", ...KINDS.map((kind) => `base.bpb.${kind}`)];
const POSITION = "base.bpb.position";

const progress = (text: string): void => console.error(text);

/** The work is done once, when it is first asked for. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}

export async function* run({ argv, wants }: BenchArgs): AsyncIterable<Measure> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ args: argv, options: { model: text, corpus: text, work: text, cache: text, most: text } });
  const path = values.model ?? join(root, "public/models/ductus-base");
  const corpus = values.corpus ?? join(root, "../shared/corpus/pretrain.jsonl.xz");
  const cache = values.cache ?? join(tmpdir(), "ductus-bench");
  const most = values.most === undefined ? Infinity : Number(values.most);
  if (!(most >= 1)) throw new RangeError("--most takes a number above 0.");
  const named = (name: string): boolean => wants(name) && !wants(""); // without --only even what has no name is wanted

  yield { name: "base.machine", value: availableParallelism(), unit: "cores", note: `Node ${process.version}, load ${loadavg()[0]?.toFixed(1) ?? "?"}` };
  if (existsSync(corpus)) yield* onCorpus(path, corpus, { work: values.work, cache, most }, wants, named);
  else progress(`There is no corpus at ${corpus}: what needs held-out documents is left out.`);
  if (wants("base.load_ms")) yield await attempt("base.load_ms", "ms", () => measureLoad(path));
}

interface Settings {
  work: string | undefined;
  cache: string;
  most: number;
}

async function* onCorpus(path: string, corpus: string, { work, cache, most }: Settings, wants: BenchArgs["wants"], named: BenchArgs["wants"]): AsyncIterable<Measure> {
  const subject = once(() => Subject.open(path, progress));
  const documents = once(async () => heldDocuments(await subject(), corpus, most));
  const coded = once(async () => codeDocuments(await subject(), await documents(), CONTEXT, STRIDE));
  const samples = once(async () => drawSamples(await subject(), await documents()));

  for (const [i, name] of BPB.entries()) {
    if (!wants(name)) continue;
    yield await attempt(name, "bits/byte", async () => bitsLine(name, (await coded()).filter(({ kind }) => i === 0 || kind === KINDS[i - 1])));
  }
  if (named(POSITION)) {
    yield await attempt(POSITION, "bits/byte", async (): Promise<Line> => {
      const { buckets, windows } = await byPosition(await subject(), await documents());
      return { name: POSITION, value: rounded(buckets.at(-1)!.bitsPerByte), unit: "bits/byte", n: windows, positions: buckets.map((bucket) => ({ ...bucket, bitsPerByte: rounded(bucket.bitsPerByte) })), note: "by the tokens that stand before; value: of the last bucket" };
    });
  }
  if (wants("base.vs_kn5")) {
    yield await attempt("base.vs_kn5", "bits/byte", async (): Promise<Line> => {
      const { endId, tokenizer } = await subject();
      const training = await trainingTokens({ corpus, model: path, cache, work }, tokenizer, endId, progress);
      const { bits, discount, unseen } = codeWithNgrams(training.tokens, endId, await documents());
      const ours = await coded();
      const theirs = ours.map((one, i) => ({ ...one, bits: bits[i]! }));
      const [value, baseline] = [bitsPerByte(ours), bitsPerByte(theirs)];
      const kinds = Object.fromEntries(KINDS.map((kind) => [kind, rounded(bitsPerByte(theirs.filter((one) => one.kind === kind)))]));
      return {
        name: "base.vs_kn5", value: rounded(value), unit: "bits/byte", baseline: rounded(baseline), ratio: rounded(value / baseline), n: ours.length, baselines: kinds,
        note: `baseline: Kneser–Ney, interpolated, order ${ORDER}, ${training.tokens.length} tokens (${training.from}), discount ${discount}, which suits this text best; ${unseen} tokens unseen in training`,
      };
    });
  }
  if (wants("base.keywords")) yield await attempt("base.keywords", "share", async () => measureKeyWords(await subject(), await documents()));
  if (wants("base.distinct2")) yield await attempt("base.distinct2", "share", async () => distinctMeasure(await samples()));
  if (wants("base.copied")) yield await attempt("base.copied", "words", async () => copiedMeasure(await samples(), corpus));
}

function bitsLine(name: string, coded: readonly Coded[]): Line {
  const { low, high } = bootstrap(coded, bitsPerByte, name);
  const sum = (value: (one: Coded) => number): number => coded.reduce((total, one) => total + value(one), 0);
  return {
    name, value: rounded(bitsPerByte(coded)), unit: "bits/byte", low: rounded(low), high: rounded(high), n: coded.length, tokens: sum(({ tokens }) => tokens), bytes: sum(({ bytes }) => bytes),
    note: `held-out documents, context ${CONTEXT}, stride ${STRIDE}`,
  };
}

/** @param most tokens of each */
async function heldDocuments({ tokenizer, bytesOf }: Subject, corpus: string, most: number): Promise<HeldDocument[]> {
  const held: CorpusDocument[] = [];
  for await (const document of readCorpus(corpus)) if (isHeldOut(document)) held.push(document);
  if (held.length === 0) throw new Error("The corpus has no held-out document.");
  return held.map(({ kind, source, text }) => {
    const all = tokenizer.encode(text);
    if (all.length <= most) return { kind, source, text, ids: all, bytes: Buffer.byteLength(text) };
    const ids = all.slice(0, most);
    return { kind, source, text, ids, bytes: ids.reduce((sum, id) => sum + bytesOf[id]!, 0) };
  });
}
