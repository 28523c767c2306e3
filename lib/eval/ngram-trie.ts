/**
 * Character n-grams as nodes of a trie, numbered as they come, so that a text is
 * walked without making a string of every n-gram. A node's parent is the n-gram
 * without its last character; children are found in one hash table with open
 * addresses. Characters are Unicode code points.
 */

const ROOT = 0;
const NONE = -1;

export class NgramTrie {
  /** Node + 1 in each slot; 0 where it is empty. A power of two of them, at most half full. */
  private slots = new Int32Array(1 << 12);
  private parents: number[] = [NONE];
  private characters: number[] = [NONE];

  /** Nodes, the root among them. */
  get size(): number {
    return this.parents.length;
  }

  /** The node of an n-gram with one character more. */
  add(parent: number, character: number): number {
    const slot = this.slotOf(parent, character);
    const found = this.slots[slot]!;
    if (found > 0) return found - 1;
    const node = this.parents.push(parent) - 1;
    this.characters.push(character);
    this.slots[slot] = node + 1;
    if (2 * node > this.slots.length) this.grow();
    return node;
  }

  /** As {@link add}; −1 where it is not there. */
  find(parent: number, character: number): number {
    return this.slots[this.slotOf(parent, character)]! - 1;
  }

  /** The node of a whole n-gram. */
  addText(ngram: string): number {
    let node = ROOT;
    for (const character of ngram) node = this.add(node, character.codePointAt(0)!);
    return node;
  }

  textOf(node: number): string {
    const characters: number[] = [];
    for (let at = node; at !== ROOT; at = this.parents[at]!) characters.push(this.characters[at]!);
    return String.fromCodePoint(...characters.reverse());
  }

  private slotOf(parent: number, character: number): number {
    const mask = this.slots.length - 1;
    let hash = Math.imul(parent, 0x9e3779b1) ^ Math.imul(character + 1, 0x85ebca6b);
    hash ^= hash >>> 15;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const node = this.slots[slot]! - 1;
      if (node < 0 || (this.parents[node] === parent && this.characters[node] === character)) return slot;
    }
  }

  private grow(): void {
    this.slots = new Int32Array(2 * this.slots.length);
    for (let node = 1; node < this.size; node++) this.slots[this.slotOf(this.parents[node]!, this.characters[node]!)] = node + 1;
  }
}

/**
 * Walks the n-grams of `low` to `high` characters of a text.
 *
 * @param add whether n-grams that the trie does not have are added; else they are passed over
 * @param visit called with each one's node
 */
export function walkNgrams(trie: NgramTrie, text: Uint32Array, low: number, high: number, add: boolean, visit: (node: number) => void): void {
  for (let begin = 0; begin < text.length; begin++) {
    let node = ROOT;
    for (let n = 1; n <= high && begin + n <= text.length; n++) {
      const character = text[begin + n - 1]!;
      node = add ? trie.add(node, character) : trie.find(node, character);
      if (node < 0) break; // what is longer is not there either
      if (n >= low) visit(node);
    }
  }
}
