/**
 * How the chat writes, as this browser remembers it: who answers, and the
 * samplers' settings with what may be set. In localStorage, beside the theme:
 * it is no writing of the person's, and there is nothing to lose.
 */
import "../../lib/zod";
import * as z from "zod";
import type { SamplingOptions, Voice } from "../../workers/protocol";
import { createStore } from "./store";

const KEY = "ductus-chat";

/** Lowest, highest, step, and what it is unless it is set. */
export const LIMITS = {
  temperature: { min: 0, max: 1.5, step: 0.1, usual: 0.7 },
  maxNewTokens: { min: 20, max: 400, step: 10, usual: 120 },
  topP: { min: 0.1, max: 1, step: 0.05, usual: 0.95 },
  topK: { min: 0, max: 200, step: 5, usual: 0 },
  repetitionPenalty: { min: 1, max: 1.5, step: 0.05, usual: 1 },
} as const;
export type Dial = keyof typeof LIMITS;
export const MAX_SEED = 999_999;

const number = ({ min, max, usual }: (typeof LIMITS)[Dial]) => z.number().min(min).max(max).catch(usual);
const whole = ({ min, max, usual }: (typeof LIMITS)[Dial]) => z.int().min(min).max(max).catch(usual);
/** What is damaged or out of bounds is as if it had never been set. */
const settingsSchema = z.object({
  who: z.enum(["tuned", "base", "both"]).catch("tuned"),
  temperature: number(LIMITS.temperature),
  maxNewTokens: whole(LIMITS.maxNewTokens),
  topP: number(LIMITS.topP),
  topK: whole(LIMITS.topK),
  repetitionPenalty: number(LIMITS.repetitionPenalty),
  /** Null: a new one for each answer. */
  seed: z.int().min(0).max(MAX_SEED).nullable().catch(null),
});
export type ChatSettings = z.infer<typeof settingsSchema>;
export type Who = ChatSettings["who"];

/** The usual settings; whatever cannot be read is left as they have it. */
export function readSettings(text: string | null): ChatSettings {
  let value: unknown = null;
  try {
    value = JSON.parse(text ?? "null");
  } catch {
    // As if it had never been set.
  }
  return settingsSchema.safeParse(value).data ?? settingsSchema.parse({});
}

export const chatSettings = createStore<ChatSettings>(readSettings(null));

let opened = false;

/** Reads what is remembered, and follows the other tabs. */
export function openChatSettings(): void {
  if (opened) return;
  opened = true;
  const read = (): void => {
    try {
      chatSettings.set(readSettings(localStorage.getItem(KEY)));
    } catch {
      // Storage is switched off; the usual settings hold.
    }
  };
  read();
  addEventListener("storage", ({ key }) => { if (key === KEY || key === null) read(); });
}

export function setChatSettings(part: Partial<ChatSettings>): void {
  chatSettings.set((settings) => ({ ...settings, ...part }));
  try {
    localStorage.setItem(KEY, JSON.stringify(chatSettings.get()));
  } catch {
    // Storage is switched off; they last as long as the page.
  }
}

/** Puts the samplers back to what is usual; who answers stays. */
export function resetDials(): void {
  const { who: _, ...usual } = readSettings(null);
  setChatSettings(usual);
}

export function samplingOf({ temperature, maxNewTokens, topP, topK, repetitionPenalty }: ChatSettings): SamplingOptions {
  return { temperature, topP, maxNewTokens, ...(topK > 0 ? { topK } : {}), ...(repetitionPenalty > 1 ? { repetitionPenalty } : {}) };
}

/** Who is asked: without an adapter, nobody has been taught. */
export function voicesFor(who: Who, hasAdapter: boolean): readonly Voice[] {
  if (!hasAdapter || who === "base") return ["base"];
  return who === "both" ? ["base", "tuned"] : ["tuned"];
}

/**
 * A seed for an answer beside those that are there: with a fixed seed the next
 * number each time, so that the same questions give the same answers again.
 * @param taken seeds of the answer's other versions
 */
export function seedFor({ seed }: Pick<ChatSettings, "seed">, taken: readonly (number | undefined)[]): number {
  // Chance is wanted where none is fixed; the seed it gives is shown, so the text can be had again.
  let next = seed ?? (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % 10_000;
  while (taken.includes(next)) next = (next + 1) % (MAX_SEED + 1);
  return next;
}
