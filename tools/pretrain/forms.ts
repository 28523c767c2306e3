/**
 * forms_train.bin and forms_held.bin: conversations in the three forms, made
 * from the documents of one part and encoded with the chat template that the
 * export writes. Every example has a random sequence of its own, so it is the
 * same whatever the number asked for. Examples are laid into rows of the
 * sequence length so that they begin and end inside one where they fit:
 * sequences are cut at rows, and a completion that is cut off from its key words
 * teaches nothing about them. What remains of a row is filled with the token
 * that ends a document.
 */
import { DuctusError } from "../../lib/core/errors";
import { Random } from "../../lib/core/random";
import type { TextTokenizer } from "../../lib/train/model/tokenizer";
import type { Corpus, PartName } from "./corpus";
import { CHAT_TOKENS, chatExample } from "./forms-chat";
import { type FormExample, PROSE_TOKENS, proseExample } from "./forms-prose";
import type { Recipe } from "./recipe";

export const END_OF_TEXT = 0;

type Kind = keyof Recipe["forms"]["kinds"];

/** Example number `n` of a part; null where the place that it drew does not serve. */
export function formExample(corpus: Corpus, recipe: Pick<Recipe, "forms" | "seed">, part: PartName, n: number): (FormExample & { kind: Kind }) | null {
  const random = new Random(`forms/${recipe.seed}/${part}/${n}`);
  const kinds = (Object.entries(recipe.forms.kinds) as [Kind, number][]).filter(([kind]) => corpus.kinds.includes(kind));
  const kind = draw(kinds, random);
  const chat = kind === "chat" || kind === "dialogue";
  const example = chat
    ? chatExample(corpus.draw(kind, CHAT_TOKENS, random), recipe.forms, random)
    : proseExample(corpus.draw(kind, PROSE_TOKENS, random), recipe.forms, random);
  return example && { ...example, kind };
}

function draw<T>(shares: readonly (readonly [T, number])[], random: Random): T {
  let at = random.uniform() * shares.reduce((sum, [, share]) => sum + share, 0);
  for (const [value, share] of shares) if ((at -= share) < 0) return value;
  return (shares.at(-1) as readonly [T, number])[0];
}

export interface FormCounts {
  examples: number;
  tokens: number;
  /** Tokens that only fill rows. */
  filling: number;
  forms: Record<string, number>;
  kinds: Record<string, number>;
  habits: Record<string, number>;
}

/** Examples between two pauses. */
const AT_ONCE = 500;
/** Places in a row that do not serve: then none will. */
const MAX_MISSED = 1000;

/**
 * Examples until `target` tokens are there.
 * @param pause awaited now and then with the tokens made, for signals and progress
 * @throws DuctusError `data/corpus` where the part gives none
 */
export async function makeForms(corpus: Corpus, tokenizer: TextTokenizer, recipe: Recipe, part: PartName, target: number, pause: (tokens: number) => Promise<void>): Promise<{ tokens: Uint16Array; counts: FormCounts }> {
  const rows = new Rows(recipe.sequenceLength);
  const counts: FormCounts = { examples: 0, tokens: 0, filling: 0, forms: {}, kinds: {}, habits: {} };
  const add = (of: Record<string, number>, name: string): void => void (of[name] = (of[name] ?? 0) + 1);
  for (let n = 0, missed = 0; counts.tokens < target; n++) {
    const example = formExample(corpus, recipe, part, n);
    if (example === null) {
      if (++missed > MAX_MISSED) throw new DuctusError("data/corpus", `No passages for the forms can be cut from the documents of the part “${part}”.`, "Take a larger corpus.");
      continue;
    }
    missed = 0;
    const ids = [...tokenizer.encodeChat(example.messages, false), END_OF_TEXT];
    rows.add(ids);
    counts.tokens += ids.length;
    counts.examples++;
    add(counts.forms, example.form);
    add(counts.kinds, example.kind);
    for (const habit of example.habits) add(counts.habits, habit);
    if (counts.examples % AT_ONCE === 0) await pause(counts.tokens);
  }
  const tokens = rows.finish();
  counts.filling = tokens.length - counts.tokens;
  return { tokens, counts };
}

/** Rows still open are the most a new example is tried against. */
const MAX_OPEN = 64;

/** Best fit: an example goes into the open row that it fills most. Longer ones take rows of their own, the rest of the last stays open. */
class Rows {
  private readonly closed: number[][] = [];
  private readonly open: number[][] = [];

  constructor(private readonly length: number) {}

  add(ids: number[]): void {
    let best = -1;
    for (let i = 0; i < this.open.length; i++) {
      const row = this.open[i] as number[];
      if (this.room(row) >= ids.length && (best < 0 || this.room(row) < this.room(this.open[best] as number[]))) best = i;
    }
    const row = best < 0 ? ids : (this.open.splice(best, 1)[0] as number[]).concat(ids);
    if (this.room(row) === 0) this.closed.push(row);
    else this.open.push(row);
    if (this.open.length > MAX_OPEN) {
      let fullest = 0;
      for (let i = 1; i < this.open.length; i++) if (this.room(this.open[i] as number[]) < this.room(this.open[fullest] as number[])) fullest = i;
      this.closed.push(this.open.splice(fullest, 1)[0] as number[]);
    }
  }

  /** What fits into the last of its rows. */
  private room(row: readonly number[]): number {
    return (this.length - (row.length % this.length)) % this.length;
  }

  finish(): Uint16Array {
    const rows = [...this.closed, ...this.open];
    const tokens = new Uint16Array(rows.reduce((sum, row) => sum + row.length + this.room(row), 0)).fill(END_OF_TEXT);
    let at = 0;
    for (const row of rows) {
      tokens.set(row, at);
      at += row.length + this.room(row);
    }
    return tokens;
  }
}
