/**
 * The longest run of words that each of some texts shares with a corpus. The
 * texts are indexed, not the corpus, which passes by once, a document at a time:
 * memory is that of the texts. Words are compared as they are given; runs do not
 * cross from one document into the next.
 */

/** From this length on runs are followed word by word; shorter ones are looked up. */
const FOLLOWED = 3;
/** So many different words are told apart: FOLLOWED of them make a number that is still exact. */
const WORDS = 0x10000;

export class CopiedRuns {
  private readonly ids = new Map<string, number>();
  /** Word ids of all texts; -1 before and after each. */
  private readonly words: Int32Array;
  /** Which text each of `words` belongs to. */
  private readonly textOf: Int32Array;
  /** Where in `words` each run of one, two and FOLLOWED words begins. */
  private readonly places: Map<number, number[]>[] = [];
  /** Shorter runs that a document has held. */
  private readonly seen: Set<number>[] = [];
  /** Longest run of each text so far, in words. */
  readonly longest: number[];

  /** @throws RangeError where the texts have more than 65,536 different words */
  constructor(texts: readonly (readonly string[])[]) {
    const words: number[] = [-1], textOf: number[] = [-1];
    texts.forEach((text, i) => {
      for (const word of text) {
        let id = this.ids.get(word);
        if (id === undefined) this.ids.set(word, (id = this.ids.size));
        words.push(id);
        textOf.push(i);
      }
      words.push(-1);
      textOf.push(-1);
    });
    if (this.ids.size > WORDS) throw new RangeError("Too many different words.");
    this.words = Int32Array.from(words);
    this.textOf = Int32Array.from(textOf);
    this.longest = texts.map(() => 0);
    for (let n = 1; n <= FOLLOWED; n++) {
      const places = new Map<number, number[]>();
      for (let at = 1; at + n < this.words.length; at++) {
        const key = keyOf(this.words, at, n);
        if (key === null) continue;
        const known = places.get(key);
        if (known) known.push(at);
        else places.set(key, [at]);
      }
      this.places[n] = places;
      this.seen[n] = new Set();
    }
  }

  /** Looks for the texts' runs in a document. */
  read(document: Iterable<string>): void {
    const there: number[] = [-1];
    for (const word of document) there.push(this.ids.get(word) ?? -1);
    there.push(-1);
    for (let at = 1; at + 1 < there.length; at++) {
      for (let n = 1; n < FOLLOWED; n++) this.note(there, at, n);
      const key = keyOf(there, at, FOLLOWED);
      if (key === null) continue;
      for (const place of this.places[FOLLOWED]!.get(key) ?? []) {
        if (this.words[place - 1] === there[at - 1] && there[at - 1] !== -1) continue; // the run that began one word earlier
        let length = FOLLOWED;
        while (this.words[place + length] === there[at + length] && there[at + length] !== -1) length++;
        this.raise(place, length);
      }
    }
  }

  private note(there: readonly number[], at: number, n: number): void {
    const key = keyOf(there, at, n);
    if (key === null || this.seen[n]!.has(key)) return;
    const places = this.places[n]!.get(key);
    if (!places) return;
    this.seen[n]!.add(key);
    for (const place of places) this.raise(place, n);
  }

  private raise(place: number, length: number): void {
    const text = this.textOf[place]!;
    if (length > this.longest[text]!) this.longest[text] = length;
  }
}

/** Word ids as one key; null where a word of them is no text's. */
function keyOf(words: ArrayLike<number>, at: number, n: number): number | null {
  let key = 0;
  for (let k = 0; k < n; k++) {
    const word = words[at + k]!;
    if (word < 0) return null;
    key = key * WORDS + word;
  }
  return key;
}
