/**
 * What came of a blind A/B: how often the tuned model's text was preferred (ties
 * count half, and are reported), Wilson's interval, what chance has to do with it
 * in words, and how many more judgements would settle it; also as JSON and CSV
 * to take away, without the texts unless they are asked for.
 */
import { DuctusError } from "../core/errors";
import { judgements, type BlindState } from "./blind";
import { signTestP, wilsonInterval } from "./proportions";

export interface BlindResult {
  judged: number;
  /** Cards that were not judged. */
  left: number;
  /** The tuned model's text was preferred. */
  tuned: number;
  base: number;
  /** The person could not tell. */
  ties: number;
  /** Of the judgements, ties half; 0 to 1. */
  winRate: number;
  /** Wilson's 95 % interval of it. */
  low: number;
  high: number;
  chance: Chance;
  /** Judgements that would settle it if they went as these did; 0: it is settled, null: none would, or more than {@link MOST_MORE}. */
  moreToSettle: number | null;
  words: { result: string; chance: string; more: string };
}

/** From the two-sided sign test, ties left out: from 5 %, below, below 1 %. */
export type Chance = "could be" | "hardly" | "no";

export const MOST_MORE = 1000;
const SETTLED_P = 0.05, SURE_P = 0.01;

const CHANCE_WORDS: Record<Chance, string> = { "could be": "This could be chance.", hardly: "This is unlikely to be chance.", no: "This is hardly chance." };

/** @throws DuctusError `app/invariant` before the end, `data/nothing-judged` where nothing was judged */
export function blindResult(state: BlindState): BlindResult {
  const made = judgements(state);
  if (made.length === 0) throw new DuctusError("data/nothing-judged", "You have not judged any texts yet.", "Choose between a few, then end.");
  const count = (preferred: "base" | "tuned" | null): number => made.filter((one) => one.preferred === preferred).length;
  const [tuned, base, ties] = [count("tuned"), count("base"), count(null)];
  const judged = made.length, winRate = (tuned + ties / 2) / judged;
  const { low, high } = wilsonInterval(tuned + ties / 2, judged);
  const p = signTestP(tuned, base);
  const chance: Chance = p < SURE_P ? "no" : p < SETTLED_P ? "hardly" : "could be";
  const moreToSettle = chance === "could be" ? moreNeeded(tuned, base, ties) : 0;
  return { judged, left: state.cards.length - judged, tuned, base, ties, winRate, low, high, chance, moreToSettle, words: { result: resultWords(tuned, judged, ties, low, high), chance: CHANCE_WORDS[chance], more: moreWords(moreToSettle, tuned === base) } };
}

/** So many more, parted as these were, and the sign test would no longer put it down to chance. */
function moreNeeded(tuned: number, base: number, ties: number): number | null {
  const judged = tuned + base + ties;
  if (tuned === base) return null;
  for (let more = 1; more <= MOST_MORE; more++) {
    const grown = (part: number): number => Math.round((part * (judged + more)) / judged);
    if (signTestP(grown(tuned), grown(base)) < SETTLED_P) return more;
  }
  return null;
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

function resultWords(tuned: number, judged: number, ties: number, low: number, high: number): string {
  const could = ties === 0 ? "" : `; ${ties === 1 ? "once" : ties === 2 ? "twice" : `${ties} times`} you could not tell, which counts half`;
  return `You preferred the taught model's text in ${tuned} of ${judged} (${percent((tuned + ties / 2) / judged)}, with room from ${percent(low)} to ${percent(high)})${could}.`;
}

function moreWords(more: number | null, even: boolean): string {
  if (more === 0) return "";
  if (more !== null) return `If they go on like this, about ${more} more would settle it.`;
  return even ? "Neither is ahead." : `If they go on like this, even ${MOST_MORE.toLocaleString("en-GB")} more would not settle it.`;
}

export interface ExportOptions {
  /** Whether prompts and both texts are in it. Default false. */
  texts?: boolean;
}

/** As rows of plain data, with the result. @throws DuctusError as blindResult */
export function blindExport(state: BlindState, { texts = false }: ExportOptions = {}) {
  const { words: _, ...result } = blindResult(state);
  const rows = judgements(state).map(({ prompt, ...row }, i) => {
    const { left, right } = state.cards[i]!;
    return texts ? { ...row, prompt, leftText: left, rightText: right } : row;
  });
  return { format: "ductus-blind-comparison", version: 1, seed: state.seed, leftOut: state.leftOut, result, judgements: rows };
}

export const blindJson = (state: BlindState, options?: ExportOptions): string => `${JSON.stringify(blindExport(state, options), null, 2)}\n`;

/** Papa Parse's own pattern passes over a text of several lines. */
const FORMULA = /^[=+\-@\t\r]/;

/** RFC 4180, a line a judgement; what a spreadsheet would take for a formula is made harmless. @throws DuctusError as blindResult */
export async function blindCsv(state: BlindState, options?: ExportOptions): Promise<string> {
  const { unparse } = await import("papaparse");
  return `${unparse(blindExport(state, options).judgements, { escapeFormulae: FORMULA })}\r\n`;
}
