/**
 * Packs examples into rows of at most so many tokens: best fit, longest first
 * (TRL's strategy "bfd"; Ding et al. 2024, "Fewer Truncations Improve Language
 * Modeling"). No example is divided. What keeps the examples of a row apart is
 * the mask, see batch.ts.
 */

/**
 * @param items none longer than `capacity`; those of equal length keep their order
 * @returns rows in the order in which they were opened, each item in one of them
 */
export function packBestFit<T extends { ids: readonly number[] }>(items: readonly T[], capacity: number): T[][] {
  const rows: T[][] = [];
  /** Rows by the tokens that they have left, the row opened first in front: [capacity + 1]. */
  const open: number[][] = Array.from({ length: capacity + 1 }, () => []);
  const tree = new SpaceTree(capacity);
  for (const item of [...items].sort((a, b) => b.ids.length - a.ids.length)) {
    const { length } = item.ids;
    if (length > capacity) throw new RangeError(`an example of ${length} tokens does not fit into a row of ${capacity}`);
    const space = tree.leastFrom(length);
    const row = space === null ? rows.push([]) - 1 : open[space]!.shift()!;
    if (space !== null && open[space]!.length === 0) tree.set(space, false);
    rows[row]!.push(item);
    const left = (space ?? capacity) - length;
    if (left === 0) continue;
    open[left]!.push(row);
    tree.set(left, true);
  }
  return rows;
}

/** A set of numbers 0 … size that finds its least member from a number on: a binary tree over the largest member of each stretch. */
class SpaceTree {
  private readonly leaves: number;
  /** The largest member below each node; −1 for none. */
  private readonly largest: Int32Array;

  constructor(size: number) {
    this.leaves = 2 ** Math.ceil(Math.log2(size + 1));
    this.largest = new Int32Array(2 * this.leaves).fill(-1);
  }

  set(value: number, member: boolean): void {
    let node = this.leaves + value;
    this.largest[node] = member ? value : -1;
    for (node >>= 1; node > 0; node >>= 1) this.largest[node] = Math.max(this.largest[2 * node]!, this.largest[2 * node + 1]!);
  }

  leastFrom(value: number): number | null {
    let node = this.leaves + value;
    if (this.largest[node] === value) return value;
    // Up to the first stretch on the right that has a member, then down to its least.
    while (node > 1 && (node % 2 === 1 || this.largest[node + 1]! < 0)) node >>= 1;
    if (node <= 1) return null;
    node++;
    while (node < this.leaves) node = this.largest[2 * node]! >= 0 ? 2 * node : 2 * node + 1;
    return node - this.leaves;
  }
}
