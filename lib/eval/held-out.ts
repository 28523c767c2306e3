/**
 * Held-out writing under several systems (the model as it came, adapters): loss
 * in nats a token, perplexity, bits per UTF-8 byte, and what differs between two
 * of them on the passages that both have scored. Loss and perplexity are set
 * against each other only where the tokenizer is the same; bits per byte always.
 * Intervals are bootstraps over documents, or over passages where there are
 * fewer than six documents; two systems are compared pair by pair.
 */
import * as z from "zod";
import { DuctusError } from "../core/errors";
import { bootstrapEstimate, estimateSchema, LEAST_UNITS, mapEstimate, type Estimate } from "./estimate";
import { verdictOf, verdictSchema } from "./verdict";

const count = z.int().nonnegative();

export const passageScoreSchema = z.strictObject({
  /** The same for every system that scored this passage. */
  id: z.string(),
  documentId: z.string(),
  /** Scored tokens. */
  tokens: count,
  /** Sum of the negative log-likelihood over them. */
  nats: z.number().nonnegative(),
  /** UTF-8 bytes of what was scored. */
  bytes: count,
});
export type PassageScore = z.infer<typeof passageScoreSchema>;

export const systemScoresSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  /** Equal for systems whose tokens are the same, e.g. the sha256 of their tokenizer. */
  tokenizer: z.string(),
  passages: z.array(passageScoreSchema).min(1),
});
export type SystemScores = z.infer<typeof systemScoresSchema>;

/** What the intervals were drawn over. */
const unitsSchema = z.strictObject({ kind: z.enum(["documents", "passages", "none"]), documents: count, passages: count, words: z.string() });

const measuredSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  tokenizer: z.string(),
  tokens: count,
  bytes: count,
  units: unitsSchema,
  loss: estimateSchema,
  perplexity: estimateSchema,
  bitsPerByte: estimateSchema,
});

const comparisonSchema = z.strictObject({
  /** Ids; differences are `to` less `from`. */
  from: z.string(),
  to: z.string(),
  units: unitsSchema,
  /** Passages that only one of them scored, or that were not scored to the same end. */
  leftOut: count,
  /** Null where the tokenizers differ. */
  loss: estimateSchema.nullable(),
  /** `to` over `from`; null as loss. */
  perplexityRatio: estimateSchema.nullable(),
  bitsPerByte: estimateSchema,
  verdict: verdictSchema,
});

export const heldOutReportSchema = z.strictObject({ systems: z.array(measuredSchema), comparisons: z.array(comparisonSchema) });
export type HeldOutReport = z.infer<typeof heldOutReportSchema>;
export type HeldOutComparison = z.infer<typeof comparisonSchema>;

/** A document, or a passage, under one system or under two. */
interface Sums {
  tokens: number;
  bytes: number;
  nats: number;
  /** Under the second system. */
  otherNats: number;
}

interface ScoredTwice extends PassageScore {
  otherNats: number;
}

const total = (sample: readonly Sums[], of: keyof Sums): number => sample.reduce((sum, one) => sum + one[of], 0);
const lossOf = (sample: readonly Sums[]): number => total(sample, "nats") / total(sample, "tokens");
const bitsPerByteOf = (sample: readonly Sums[]): number => total(sample, "nats") / Math.LN2 / total(sample, "bytes");
const difference = (sample: readonly Sums[]): number => sample.reduce((sum, one) => sum + (one.otherNats - one.nats), 0); // exactly 0 for equal ones
const lossDifference = (sample: readonly Sums[]): number => difference(sample) / total(sample, "tokens");
const bitsDifference = (sample: readonly Sums[]): number => difference(sample) / Math.LN2 / total(sample, "bytes");

/** @throws DuctusError `data/scores` where a system scored a passage twice, or the same tokens came out as different numbers of them */
export function heldOutReport(systems: readonly SystemScores[], seed: number | string): HeldOutReport {
  return {
    systems: systems.map(({ id, name, tokenizer, passages }) => {
      const { units, sums } = unitsOf(passages.map((passage) => ({ ...passage, otherNats: 0 })));
      const loss = bootstrapEstimate(sums, lossOf, `${seed}/loss`);
      return {
        id, name, tokenizer, units, loss, tokens: total(sums, "tokens"), bytes: total(sums, "bytes"),
        perplexity: mapEstimate(loss, Math.exp), bitsPerByte: bootstrapEstimate(sums, bitsPerByteOf, `${seed}/bits`),
      };
    }),
    comparisons: systems.flatMap((from, i) => systems.slice(i + 1).map((to) => compareSystems(from, to, seed))),
  };
}

/** Two systems on the passages that both scored whole. @throws DuctusError as heldOutReport */
export function compareSystems(from: SystemScores, to: SystemScores, seed: number | string): HeldOutComparison {
  const sameTokenizer = from.tokenizer === to.tokenizer;
  const theirs = byId(to.passages);
  const both = [...byId(from.passages).values()].flatMap((passage): ScoredTwice[] => {
    const other = theirs.get(passage.id);
    if (other === undefined || other.bytes !== passage.bytes) return [];
    if (sameTokenizer && other.tokens !== passage.tokens) throw new DuctusError("data/scores", "Two models with the same tokenizer counted different tokens in one passage.", "Measure both again.", { details: `${passage.id}: ${passage.tokens}, ${other.tokens}` });
    return [{ ...passage, otherNats: other.nats }];
  });
  const { units, sums } = unitsOf(both);
  const loss: Estimate | null = sameTokenizer ? bootstrapEstimate(sums, lossDifference, `${seed}/loss difference`) : null;
  const bitsPerByte = bootstrapEstimate(sums, bitsDifference, `${seed}/bits difference`);
  const second = sums.map((one) => ({ ...one, nats: one.otherNats }));
  const [before, after] = [sums, second].map((sample) => (sameTokenizer ? Math.exp(lossOf(sample)) : bitsPerByteOf(sample))) as [number, number];
  return {
    from: from.id, to: to.id, units, leftOut: from.passages.length + to.passages.length - 2 * both.length, loss,
    perplexityRatio: loss && mapEstimate(loss, Math.exp), bitsPerByte,
    verdict: verdictOf(bitsPerByte, { before, after, unit: sameTokenizer ? "perplexity" : "bits per byte", share: total(second, "nats") / total(sums, "nats") - 1 }),
  };
}

function byId(passages: readonly PassageScore[]): Map<string, PassageScore> {
  const found = new Map(passages.map((passage) => [passage.id, passage]));
  if (found.size !== passages.length) throw new DuctusError("data/scores", "A passage was measured twice.", "Measure again.");
  return found;
}

function unitsOf(passages: readonly ScoredTwice[]): { units: z.infer<typeof unitsSchema>; sums: Sums[] } {
  const documents = new Map<string, Sums>();
  for (const { documentId, tokens, nats, bytes, otherNats } of passages) {
    const sum = documents.get(documentId) ?? { tokens: 0, nats: 0, bytes: 0, otherNats: 0 };
    documents.set(documentId, { tokens: sum.tokens + tokens, nats: sum.nats + nats, bytes: sum.bytes + bytes, otherNats: sum.otherNats + otherNats });
  }
  const kind = documents.size >= LEAST_UNITS ? "documents" : passages.length >= LEAST_UNITS ? "passages" : "none";
  return {
    units: { kind, documents: documents.size, passages: passages.length, words: unitWords(kind, documents.size, passages.length) },
    sums: kind === "documents" ? [...documents.values()] : [...passages],
  };
}

const several = (n: number, one: string): string => `${n.toLocaleString("en-GB")} ${one}${n === 1 ? "" : "s"}`;

function unitWords(kind: "documents" | "passages" | "none", documents: number, passages: number): string {
  const from = `${several(passages, "passage")} of ${several(documents, "piece")}`;
  switch (kind) {
    case "documents":
      return `${from}; intervals by drawing the pieces again and again.`;
    case "passages":
      return `${from}; intervals by drawing the passages again and again. Passages of one piece are alike, so the truth may lie a little outside.`;
    case "none":
      return `${from}: too few for intervals.`;
    default:
      return kind satisfies never;
  }
}
