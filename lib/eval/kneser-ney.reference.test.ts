/** Against NLTK's KneserNeyInterpolated: committed values, and with DUCTUS_PYTHON set its own answer to other data. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { Random } from "../core/random";
import { referenceJson } from "../train/testing/reference";
import { KneserNey } from "./kneser-ney";
import { countNgrams } from "./ngram-counts";

interface Reference {
  end: number;
  train: number[][];
  documents: number[][];
  cases: { order: number; discount: number; log_probs: number[][] }[];
}

const python = process.env["DUCTUS_PYTHON"];
const script = fileURLToPath(new URL("../../tools/reference/ngrams.py", import.meta.url));
const reference = referenceJson("ngrams/kneser-ney.json") as Reference;

const file = (documents: readonly (readonly number[])[], end: number) => Uint16Array.from(documents.flatMap((document) => [...document, end]));

function worst(model: KneserNey, discount: number, documents: readonly (readonly number[])[], theirs: readonly (readonly number[])[]): number {
  let gap = 0, compared = 0;
  documents.forEach((document, i) => {
    const [ours] = model.logProbs(document, [discount]);
    expect(ours).toHaveLength(document.length + 1);
    ours!.forEach((value, t) => {
      gap = Math.max(gap, Math.abs(value - theirs[i]![t]!));
      compared++;
    });
  });
  expect(compared).toBe(theirs.flat().length);
  return gap;
}

it.each(reference.cases)("gives NLTK's probabilities: order $order, discount $discount", ({ order, discount, log_probs: theirs }) => {
  const model = new KneserNey(countNgrams(file(reference.train, reference.end), reference.end, order));
  expect(worst(model, discount, reference.documents, theirs)).toBeLessThan(1e-6);
});

it.runIf(python)("gives NLTK's own answer to other data, where the end token is not the lowest", () => {
  const random = new Random("kneser-ney");
  const end = 7;
  const document = (length: number) => {
    const tokens = [1];
    while (tokens.length < length) {
      const next = random.uniform() < 0.6 ? (tokens.at(-1)! * 5 + 3) % 41 : random.int(41);
      tokens.push(next === end ? 41 : next);
    }
    return tokens;
  };
  const train = [300, 200, 2, 150].map(document), documents = [document(40), train[1]!.slice(20, 60)];
  const seen = new Set(train.flat());
  const known = documents.map((one) => one.filter((token) => seen.has(token)));
  const request = { order: 5, discount: 0.9, end, train, documents: known };
  const theirs = JSON.parse(execFileSync(python!, [script], { input: JSON.stringify(request), encoding: "utf8", timeout: 100_000 })) as number[][];
  expect(worst(new KneserNey(countNgrams(file(train, end), end, 5)), 0.9, known, theirs)).toBeLessThan(1e-6);
});
