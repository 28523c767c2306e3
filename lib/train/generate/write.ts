/**
 * The loop that writes: draws a token for each row, ends rows, and leaves ended
 * rows out of the batch once they are many. Each row has its own seeded stream
 * of random numbers and its own cache rows: what it writes does not depend on
 * its neighbours, rounding aside. How logits are computed is the decoder's
 * business.
 */
import { DuctusError } from "../../core/errors";
import { Random } from "../../core/random";
import type { TextTokenizer } from "../model/tokenizer";
import type { KvCache } from "./cache";
import type { Decoder, ReadyAdapter } from "./decoder";
import { checkSampler, type SamplerOptions } from "./processors";
import { sampleToken, sampleWithLogProbs, type DrawnLogProbs } from "./sampler";
import { StoppingText } from "./stop-strings";

export interface GenerationRow {
  /** Prompt tokens, at least one. */
  promptIds: readonly number[];
  /** Whether the adapter takes part in this row. */
  adapted: boolean;
  seed: number | string;
}

export interface GenerationOptions extends SamplerOptions {
  maxNewTokens: number;
  stopTokenIds: readonly number[];
  /** End a row as soon as one of them stands in its text, which is cut before it; need `tokenizer`. */
  stopStrings?: readonly string[];
  /** Makes text of what is written: for `stopStrings`, `onText`, and the rows' `text`. */
  tokenizer?: Pick<TextTokenizer, "stream">;
  /** Token sequences that are never completed, prompt included; see banned.ts. */
  banned?: readonly (readonly number[])[];
  /** Whether to note the log-probability of every token drawn. */
  logProbs?: boolean;
  /** Asked between tokens; true ends all rows. */
  stopped?: () => boolean;
  /** Called for every token as it is drawn (not for the stop token); awaited, so that a slow reader is not flooded. */
  onToken?: (row: number, token: number) => void | Promise<void>;
  /** Called with the whole text of a row whenever it has grown; never holds a part of a stop string. Awaited. */
  onText?: (row: number, text: string) => void | Promise<void>;
}

export interface GeneratedRow {
  /** All tokens drawn but the stop token; with those of a stop string, which the text is without. */
  tokens: number[];
  /** `end`: a stop token or stop string. */
  stop: "end" | "length" | "stopped";
  /** Where a tokenizer was given. */
  text?: string;
  /** Where the row ended with one. */
  stopToken?: number;
  /** Where asked for: of each token, and at last of the stop token where there is one. */
  logProbs?: DrawnLogProbs[];
}

/** A row while it is written. */
interface RowState {
  /** Its place in the results. */
  index: number;
  row: GenerationRow;
  /** Prompt, then what has been written. */
  history: number[];
  /** The same without order; kept for a repetition penalty only. */
  seen: Set<number> | null;
  random: Random;
  text: StoppingText | null;
  shown: string;
  limit: number;
  result: GeneratedRow;
}

/** @throws DuctusError `generate/too-long` where a prompt leaves no room, `generate/options` */
export function checkRequest(rows: readonly GenerationRow[], options: GenerationOptions, maxPositions: number): void {
  if (rows.some(({ promptIds }) => promptIds.length === 0 || promptIds.length >= maxPositions)) {
    throw new DuctusError("generate/too-long", "The text to go on from is too long for this model.", "Use a shorter passage.");
  }
  checkSampler(options);
  if (!(options.maxNewTokens >= 0)) throw new DuctusError("generate/options", "The number of new tokens is a number from 0 up.", "Change the setting.");
  if ((options.stopStrings?.length ?? 0) > 0 && !options.tokenizer) throw new DuctusError("generate/options", "Stop strings need a tokenizer.");
}

/** Where writing begins: the prompts have been read, and these are the logits of what follows them. */
export interface Start {
  /** A row of it for each row to be written; from here on the loop's to dispose of. */
  cache: KvCache;
  logits: Float32Array[];
}

export interface Written {
  rows: GeneratedRow[];
  /** Prompt and continuation of each row. */
  histories: number[][];
  /** What the last rows in the batch have read, the caller's to dispose of; null where nothing was read. */
  cache: KvCache | null;
}

/** Live rows as a share of the batch at which ended ones are left out. */
const CROWDED = 0.75;

/** @param start reads the prompts; not called where nothing is to be written */
export async function write(decoder: Decoder, adapter: ReadyAdapter, rows: readonly GenerationRow[], options: GenerationOptions, start: () => Promise<Start>): Promise<Written> {
  const states = rows.map((row, index): RowState => ({
    index, row, history: [...row.promptIds],
    seen: options.repetitionPenalty !== undefined && options.repetitionPenalty !== 1 ? new Set(row.promptIds) : null,
    random: new Random(`sample-${row.seed}`),
    text: options.tokenizer ? new StoppingText(options.tokenizer.stream(), options.stopStrings ?? []) : null,
    shown: "",
    limit: Math.min(options.maxNewTokens, decoder.settings.maxPositions - row.promptIds.length),
    result: { tokens: [], stop: "length", ...(options.logProbs ? { logProbs: [] } : {}) },
  }));
  let batch = states; // as it stands in the cache
  let live = new Set(states.filter((state) => state.limit > 0));
  let cache: KvCache | null = null;
  try {
    let first = true;
    while (live.size > 0) {
      if (options.stopped?.()) {
        for (const { result } of live) result.stop = "stopped";
        break;
      }
      let logits: Float32Array[];
      if (first || !cache) {
        ({ cache, logits } = await start());
        first = false;
      } else {
        if (live.size <= CROWDED * batch.length) {
          const before: KvCache = cache;
          cache = await before.select(batch.flatMap((state, at) => (live.has(state) ? [at] : [])));
          before.dispose();
          batch = batch.filter((state) => live.has(state));
        }
        logits = await decoder.decode(batch.map((state) => ({ tokens: live.has(state) ? state.history.slice(-1) : [], adapted: state.row.adapted })), cache, adapter);
      }
      const goingOn = new Set<RowState>();
      for (const [at, state] of batch.entries()) if (live.has(state) && (await draw(state, logits[at]!, options))) goingOn.add(state);
      live = goingOn;
    }
  } catch (error) {
    cache?.dispose();
    throw error;
  }
  for (const { result, text } of states) if (text) result.text = text.finish();
  return { rows: states.map(({ result }) => result), histories: states.map(({ history }) => history), cache };
}

/** Draws a row's next token. @returns whether the row goes on */
async function draw(state: RowState, logits: Float32Array, options: GenerationOptions): Promise<boolean> {
  const { result, history, seen, random, text, index } = state;
  const context = { tokens: history, ...(seen ? { seen } : {}), ...(options.banned ? { banned: options.banned } : {}) };
  let token: number;
  if (result.logProbs) {
    const drawn = sampleWithLogProbs(logits, options, random, context);
    token = drawn.token;
    result.logProbs.push(drawn.logProbs);
  } else token = sampleToken(logits, options, random, context);
  if (options.stopTokenIds.includes(token)) {
    result.stop = "end";
    result.stopToken = token;
    return false;
  }
  result.tokens.push(token);
  history.push(token);
  seen?.add(token);
  await options.onToken?.(index, token);
  if (text) {
    text.push(token);
    const { shown } = text;
    if (shown !== state.shown) {
      state.shown = shown;
      await options.onText?.(index, shown);
    }
    if (text.stopped) {
      result.stop = "end";
      return false;
    }
  }
  return result.tokens.length < state.limit;
}
