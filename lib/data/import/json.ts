/**
 * The writing in a data file (JSON, or a JSON value a line): texts under usual
 * keys at any depth, what was written to prompts, the documents of editors, and,
 * where no key is a usual one, the values with the most prose. Conversations are
 * set aside: some of their messages are other people's, or a machine's. Values
 * are walked without recursion and keys are never made members of an object, so
 * that neither depth nor a name can do harm.
 */
import { DuctusError } from "../../core/errors";
import { parseJson } from "../bounded-json";
import type { LeftOut } from "../documents";
import { chatRefusal, decodeCharacters } from "../text";
import { completionOf, editorText, firstString, isConversation, isMessageList, membersOf, textUnderUsualKey, type Members } from "./json-shapes";
import { createPause } from "./pause";
import type { Reader, Reading } from "./types";
import { plainKey, proseWords, TITLE_KEYS, toExtracts, type Found } from "./values";

/** @throws DuctusError `file/empty`, `file/damaged`, `file/too-large`, `file/chat` and those of decodeCharacters; the signal's reason */
export const readJson: Reader = async (bytes, { name, signal }): Promise<Reading> => {
  const decoded = decodeCharacters(bytes, name);
  const pause = createPause(signal);
  const collector = new Collector(pause);
  const leftOut: LeftOut[] = [];
  if (isLines(decoded.text)) {
    let broken = 0, whole = 0;
    for (const line of linesOf(decoded.text)) {
      const parsed = parseJson(line);
      await pause();
      if (parsed === "too-intricate") throw tooIntricate(name);
      if (parsed === "broken") broken++;
      else {
        whole++;
        await collector.add(parsed.value);
      }
    }
    if (broken > whole) throw damaged(name);
    if (broken > 0) leftOut.push({ name, reason: `${broken === 1 ? "One of its lines is" : `${broken} of its lines are`} damaged and could not be read.` });
  } else {
    // An archive of Twitter's is JSON behind an assignment.
    const parsed = parseJson(decoded.text.replace(/^\s*window\.YTD\.[\w.]{1,100}\s*=\s*/, ""));
    if (parsed === "too-intricate") throw tooIntricate(name);
    if (parsed === "broken") throw damaged(name);
    await pause();
    await collector.add(parsed.value);
  }
  const { found, chats, trashed, repeats } = collector.result();
  if (found.length === 0) {
    if (chats > 0) throw chatRefusal(name, "it holds messages, and some of them are other people's, or a machine's");
    throw new DuctusError("file/empty", `“${name}” is a data file, and no writing was found in it.`, "Copy the writing itself into a plain text file (.txt) and drop that in.");
  }
  const some = (count: number, one: string, many: string): void => {
    if (count > 0) leftOut.push({ name, reason: count === 1 ? one : `${count.toLocaleString("en")} ${many}` });
  };
  some(chats, "A conversation in it is left out: some of its messages are other people's, or a machine's.", "conversations in it are left out: some of their messages are other people's, or a machine's.");
  some(trashed, "A piece in its trash is left out.", "pieces in its trash are left out.");
  some(repeats, "A post that repeats somebody else's is left out.", "posts that repeat other people's are left out.");
  return { extracts: toExtracts(found, decoded.encoding), leftOut };
};

function damaged(name: string): DuctusError {
  return new DuctusError("file/damaged", `“${name}” is damaged: it looks like a data file (JSON), but it breaks its rules, or ends too early.`, "Save or export it again, and drop that in.");
}

function tooIntricate(name: string): DuctusError {
  return new DuctusError("file/too-large", `“${name}” is a data file (JSON) with too many values in it, or too deep ones.`, "Copy the writing itself into a plain text file (.txt) and drop that in.");
}

/** Whether the first two lines that are not empty are values of their own. */
function isLines(text: string): boolean {
  const [first, second] = take2(linesOf(text));
  if (first === undefined || second === undefined) return false;
  return [first, second].every((line) => {
    const parsed = parseJson(line);
    return typeof parsed === "object" && typeof parsed.value !== "number";
  });
}

function take2<T>(values: Iterable<T>): T[] {
  const some: T[] = [];
  for (const value of values) if (some.push(value) === 2) break;
  return some;
}

function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf("\n", from);
    const line = text.slice(from, end < 0 ? text.length : end).trim();
    if (line !== "") yield line;
    from = end < 0 ? text.length : end + 1;
  }
}

/** A value to look at: `path` is the keys that lead to it, without places in lists. */
interface Place {
  value: object;
  path: string;
}

/** Values found by their place and not by their key. */
interface Candidates {
  words: number;
  found: Found[];
}

const MIN_CANDIDATE_WORDS = 8;
const MIN_WORDS_BY_PLACE = 20;
/** Values under other keys are the writing only where they are this much more: a label may be called text. */
const MUCH_MORE = 5;
/** Objects with so many pieces of prose are lists by name: a diary by date. */
const MIN_NAMED_LIST = 3;
/** How many objects are looked at between pauses. */
const TURN = 256;
const MAX_PATH = 200;

class Collector {
  private readonly texts: Found[] = [];
  private readonly candidates = new Map<string, Candidates>();
  private chats = 0;
  private trashed = 0;
  private repeats = 0;

  constructor(private readonly pause: () => Promise<void>) {}

  async add(value: unknown): Promise<void> {
    if (typeof value === "string") this.addCandidate("", null, value);
    if (typeof value !== "object" || value === null) return;
    const stack: Place[] = [{ value, path: "" }];
    for (let place = stack.pop(), n = 1; place !== undefined; place = stack.pop(), n++) {
      if (n % TURN === 0) await this.pause();
      const inside = Array.isArray(place.value) ? this.lookAtList(place.value as unknown[], place.path) : this.lookAtObject(place.value, place.path);
      for (let i = inside.length - 1; i >= 0; i--) stack.push(inside[i] as Place); // the first is looked at first
    }
  }

  result(): { found: Found[]; chats: number; trashed: number; repeats: number } {
    const { chats, trashed, repeats } = this;
    const words = this.texts.reduce((sum, { text }) => sum + proseWords(text), 0);
    let best: Candidates = { words: 0, found: [] };
    for (const one of this.candidates.values()) if (one.words > best.words) best = one;
    // Beside conversations, what is neither is about them.
    const byPlace = chats === 0 && best.words >= MIN_WORDS_BY_PLACE && best.words > MUCH_MORE * words;
    return { found: byPlace ? best.found : this.texts, chats, trashed, repeats };
  }

  private addText(name: string | null, text: string): void {
    if (text.startsWith("RT @")) this.repeats++;
    else this.texts.push({ name, text });
  }

  private addCandidate(path: string, name: string | null, text: string, words = proseWords(text)): void {
    if (words < MIN_CANDIDATE_WORDS) return;
    const at = this.candidates.get(path);
    if (at === undefined) this.candidates.set(path, { words, found: [{ name, text }] });
    else {
      at.words += words;
      at.found.push({ name, text });
    }
  }

  private lookAtList(list: readonly unknown[], path: string): Place[] {
    if (isMessageList(list, false)) {
      this.chats++;
      return [];
    }
    const inside: Place[] = [];
    for (const value of list) {
      if (typeof value === "string") this.addCandidate(path, null, value);
      else if (typeof value === "object" && value !== null) inside.push({ value, path });
    }
    return inside;
  }

  private lookAtObject(object: object, path: string): Place[] {
    const members = membersOf(object);
    if (isTrashed(members)) {
      this.trashed++;
      return [];
    }
    const name = firstString(members, TITLE_KEYS);
    const completion = completionOf(members);
    if (completion !== null) {
      this.addText(name, completion);
      return [];
    }
    if (isConversation(members)) {
      this.chats++;
      return [];
    }
    const document = editorText(object);
    if (document !== null) {
      this.addText(name, document);
      return [];
    }
    const own = textUnderUsualKey(members);
    if (own !== null) this.addText(name, own.text);
    return this.lookInside(object, own?.key ?? null, path);
  }

  /** @param used the key whose text is taken already */
  private lookInside(object: object, used: string | null, path: string): Place[] {
    const inside: Place[] = [];
    const prose: { key: string; text: string; words: number }[] = [];
    let strings = 0;
    for (const [key, value] of Object.entries(object) as [string, unknown][]) {
      if (plainKey(key) === used) continue;
      if (typeof value === "string") {
        strings++;
        const words = proseWords(value);
        if (words >= MIN_CANDIDATE_WORDS) prose.push({ key, text: value, words });
      } else if (typeof value === "object" && value !== null) {
        if (/^(?:trash|trashed|deleted)(?:notes|items|entries)?$/.test(plainKey(key))) this.trashed += Array.isArray(value) ? value.length : 1;
        else inside.push({ value, path: `${path}.${key}`.slice(-MAX_PATH) });
      }
    }
    const byName = prose.length >= MIN_NAMED_LIST && prose.length >= 0.8 * strings;
    for (const { key, text, words } of prose) this.addCandidate(byName ? `${path}.*` : `${path}.${key}`.slice(-MAX_PATH), byName ? key : null, text, words);
    return inside;
  }
}

function isTrashed(members: Members): boolean {
  return ["trashed", "istrashed", "deleted", "isdeleted"].some((key) => members.get(key) === true);
}
