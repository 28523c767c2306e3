/**
 * The blind A/B: a person reads two texts to the same prompt, one by the model
 * as it came and one by the tuned one, without knowing which, and chooses. The
 * state is plain data and holds neither labels nor the order of the pairs: which
 * side was which follows from its seed, and is worked out at the end. Both texts
 * of a pair are cut to the same number of words, so that a model that ends early
 * is not known by it. Results are given only when the person has ended: who
 * cannot see how it stands cannot stop where it suits.
 */
import "../zod";
import * as z from "zod";
import { DuctusError, invariant } from "../core/errors";
import { Random } from "../core/random";
import { spacedWordSpans } from "../data/words";

export interface BlindPair {
  /** To find it again in the result; never shown while judging. */
  id: string;
  prompt: string;
  base: string;
  tuned: string;
}

export const BLIND_CHOICES = ["left", "right", "cannot tell"] as const;
export type BlindChoice = (typeof BLIND_CHOICES)[number];

const cardSchema = z.strictObject({ prompt: z.string(), left: z.string(), right: z.string() });
/** What the person is shown: a prompt and two texts. */
export type BlindCard = z.infer<typeof cardSchema>;

const stateSchema = z
  .strictObject({
    version: z.literal(1),
    seed: z.string(),
    /** In the order in which they are shown. */
    cards: z.array(cardSchema).min(1),
    /** Of the pairs that are judged, in the order in which they were given, which is not that of the cards. */
    pairIds: z.array(z.string()),
    /** Pairs that say nothing: a text without words, or twice the same text. */
    leftOut: z.int().nonnegative(),
    choices: z.array(z.enum(BLIND_CHOICES)),
    /** The person has ended, and may see the result. */
    ended: z.boolean(),
  })
  .refine(({ cards, pairIds, choices }) => pairIds.length === cards.length && choices.length <= cards.length);
export type BlindState = z.infer<typeof stateSchema>;

/** @throws DuctusError `data/nothing-to-judge` where no pair has two different texts */
export function startBlind(pairs: readonly BlindPair[], seed: number | string): BlindState {
  const kept = pairs.flatMap(({ id, prompt, base, tuned }) => {
    const texts = cutAlike(base, tuned);
    return texts === null ? [] : [{ id, prompt, texts }];
  });
  if (kept.length === 0) throw new DuctusError("data/nothing-to-judge", "There are no two different texts to choose between.", "Let both models write again, with another seed or longer texts.");
  const text = String(seed);
  const cards = deal(kept.length, text).map(({ pair, tunedLeft }): BlindCard => {
    const { prompt, texts: [base, tuned] } = kept[pair]!;
    return { prompt, left: tunedLeft ? tuned : base, right: tunedLeft ? base : tuned };
  });
  return { version: 1, seed: text, cards, pairIds: kept.map(({ id }) => id), leftOut: pairs.length - kept.length, choices: [], ended: false };
}

/** From what it was kept as. @throws DuctusError `data/damaged-judging` */
export function openBlind(value: unknown): BlindState {
  const { success, data, error } = stateSchema.safeParse(value);
  if (!success) throw new DuctusError("data/damaged-judging", "Your choices so far are stored incompletely.", "Begin the comparison again.", { details: z.prettifyError(error) });
  return data;
}

/** The card to be judged; null after the last one. */
export const currentCard = ({ cards, choices, ended }: BlindState): BlindCard | null => (ended ? null : (cards[choices.length] ?? null));

/** @throws DuctusError `app/invariant` where nothing is left to be judged */
export function choose(state: BlindState, choice: BlindChoice): BlindState {
  invariant(currentCard(state) !== null, "a choice without a card");
  return { ...state, choices: [...state.choices, choice] };
}

/** Takes the last choice back; without one, and after the end, nothing changes. */
export const undo = (state: BlindState): BlindState => (state.ended ? state : { ...state, choices: state.choices.slice(0, -1) });

/** No more choices, also before the last card: from now on the result may be seen. */
export const endBlind = (state: BlindState): BlindState => ({ ...state, ended: true });

export interface Judgement {
  /** From 1, in the order of judging. */
  card: number;
  pairId: string;
  prompt: string;
  left: "base" | "tuned";
  choice: BlindChoice;
  preferred: "base" | "tuned" | null;
}

/** What was chosen, with the sides uncovered. @throws DuctusError `app/invariant` before the end */
export function judgements({ seed, cards, pairIds, choices, ended }: BlindState): Judgement[] {
  invariant(ended, "sides are uncovered after the end");
  const dealt = deal(cards.length, seed);
  return choices.map((choice, i) => {
    const { pair, tunedLeft } = dealt[i]!;
    const preferred = choice === "cannot tell" ? null : (choice === "left") === tunedLeft ? "tuned" : "base";
    return { card: i + 1, pairId: pairIds[pair]!, prompt: cards[i]!.prompt, left: tunedLeft ? "tuned" : "base", choice, preferred };
  });
}

/** Which pair each card shows, and on which side: on either equally often, so that a hand that always goes left gains nothing. */
function deal(count: number, seed: string): { pair: number; tunedLeft: boolean }[] {
  const random = new Random(`blind/${seed}`);
  const order = random.shuffle(Array.from({ length: count }, (_, i) => i));
  const odd = random.uniform() < 0.5; // of an odd number one side has one more
  const sides = random.shuffle(Array.from({ length: count }, (_, i) => (i % 2 === 0) === odd));
  return order.map((pair, i) => ({ pair, tunedLeft: sides[i]! }));
}

/** Both cut to the words of the shorter, and marked as going on, whether or not they did; null where nothing can be told from them. */
function cutAlike(base: string, tuned: string): [string, string] | null {
  const texts = [base, tuned].map((text) => ({ text: text.trim(), spans: spacedWordSpans(text.trim()) }));
  const words = Math.min(...texts.map(({ spans }) => spans.length));
  if (words === 0) return null;
  const [one, other] = texts.map(({ text, spans }) => text.slice(0, spans[words - 1]!.end).replace(/[\s.!?…,;:–—-]+$/u, "")) as [string, string];
  return one === other ? null : [`${one} …`, `${other} …`];
}
