/**
 * What the model is asked, from a conversation as it is read. Talk is answered
 * from the talk before it, as each voice would remember it; going on and writing
 * from key words stand for themselves, as they did in the training, and the rest
 * of the conversation is not seen by them, nor they by it. The wordings are
 * lib/data's.
 */
import { MAX_KEY_WORDS } from "../../lib/data/forms";
import { toReplyMessages, type Turn as Said } from "../../lib/data/reply";
import type { Voice, WriteRow } from "../../workers/protocol";
import type { Placed } from "./thread";

export type Form = NonNullable<Placed["form"]>;

/** Whom the roles stand for; only that they differ matters. */
const PERSON = "person", MODEL = "model";

/** What a voice said in the model's turn; the other's words where it was not asked. */
export function textBy(turn: Placed, voice: Voice): string {
  return turn.beside?.voice === voice ? turn.beside.text : turn.text;
}

/** What the last of the turns is to be answered with. @param path ends with it: the person's turn, or what was written of a text that is to go on */
export function askFor(path: readonly Placed[], voice: Voice): WriteRow["ask"] {
  const at = path.findLastIndex(({ role }) => role === "user");
  const { form = "chat", text = "" } = path[at] ?? {};
  switch (form) {
    case "continue":
      return { form: "continue", passage: path.slice(at).map((turn) => (turn.role === "user" ? turn.text : textBy(turn, voice))).reduce(joined).trim() };
    case "keywords":
      return { form: "keywords", words: keyWordsOf(text) };
    case "chat":
      return { form: "chat", messages: toReplyMessages(talkOf(path).map((turn) => said(turn, voice)), MODEL) };
    default:
      return form satisfies never;
  }
}

/** The turns that are talk: the person's, and the answers to them. */
function talkOf(path: readonly Placed[]): Placed[] {
  let form: Form = "chat";
  return path.filter((turn) => {
    if (turn.role === "user") form = turn.form ?? "chat";
    return form === "chat";
  });
}

const said = (turn: Placed, voice: Voice): Said => (turn.role === "user" ? { author: PERSON, text: turn.text } : { author: MODEL, text: textBy(turn, voice) });

/** A text and what goes on from it: one space, unless there is a break already. */
const joined = (before: string, after: string): string => (/\s$/.test(before) || /^\s/.test(after) ? before + after : `${before} ${after}`);

/**
 * Which turn was the first that the model still saw when it wrote an answer; null
 * where it saw all that it was to see. With two voices, the one that saw less counts.
 * @param path ends with the answer
 */
export function firstSeen(path: readonly Placed[]): Placed | null {
  const answer = path.at(-1);
  if (answer?.role !== "assistant") return null;
  const [forgotten, voice] = [answer, answer.beside].map((by): [number, Voice] => [by?.forgotten ?? 0, by?.voice ?? "tuned"]).reduce((a, b) => (b[0] > a[0] ? b : a));
  if (forgotten === 0) return null;
  const talk = talkOf(path.slice(0, -1));
  const says = talk.map((turn) => said(turn, voice));
  // Several turns may make one message.
  return talk.find((_, i) => toReplyMessages(says.slice(0, i + 1), MODEL).length > forgotten) ?? null;
}

/** One to eight words, as the model was taught to be asked: between commas, or between spaces where there are none. */
export function keyWordsOf(text: string): string[] {
  const words = text.split(/[,;\n]/.test(text.trim()) ? /[,;\n]+/ : /\s+/).map((word) => word.replace(/\s+/g, " ").trim().toLowerCase());
  return [...new Set(words.filter((word) => word !== ""))].slice(0, MAX_KEY_WORDS);
}

/** Whether there is something to ask. */
export const canAsk = (form: Form, text: string): boolean => (form === "keywords" ? keyWordsOf(text).length > 0 : text.trim() !== "");
