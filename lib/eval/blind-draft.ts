/**
 * What a blind comparison is kept as: first as a draft, whose pairs are still
 * being written, then as the comparison itself (blind.ts). A draft knows which
 * text is whose, and is never shown.
 */
import "../zod";
import * as z from "zod";
import { DuctusError } from "../core/errors";
import { type BlindState, openBlind, startBlind } from "./blind";

const draftSchema = z.strictObject({
  version: z.literal(1),
  draft: z.literal(true),
  seed: z.string(),
  /** Pairs that are wanted. */
  wanted: z.int().positive(),
  pairs: z.array(z.strictObject({ id: z.string(), prompt: z.string(), base: z.string(), tuned: z.string() })),
});
export type BlindDraft = z.infer<typeof draftSchema>;

export const startDraft = (wanted: number, seed: number | string): BlindDraft => ({ version: 1, draft: true, seed: String(seed), wanted, pairs: [] });

export const isDraft = (state: BlindDraft | BlindState): state is BlindDraft => "draft" in state;

/** The comparison of the pairs that are there. @throws DuctusError `data/nothing-to-judge` */
export const judgeDraft = ({ pairs, seed }: BlindDraft): BlindState => startBlind(pairs, seed);

/** From what either was kept as. @throws DuctusError `data/damaged-judging` */
export function openJudging(value: unknown): BlindDraft | BlindState {
  if (typeof value !== "object" || value === null || !("draft" in value)) return openBlind(value);
  const { success, data, error } = draftSchema.safeParse(value);
  if (!success) throw new DuctusError("data/damaged-judging", "The texts to be judged are stored incompletely.", "Begin the comparison again.", { details: z.prettifyError(error) });
  return data;
}
