/** Which of numbered things belong together, when it is told in pairs: union–find (Galler and Fischer 1964), with path halving. */
export class DisjointSets {
  private readonly parents: Int32Array;

  constructor(size: number) {
    this.parents = Int32Array.from({ length: size }, (_, i) => i);
  }

  /** The smallest of those that belong together with `i`. */
  find(i: number): number {
    const { parents } = this;
    while (parents[i] !== i) i = parents[i] = parents[parents[i] as number] as number;
    return i;
  }

  join(a: number, b: number): void {
    const [first, second] = [this.find(a), this.find(b)];
    if (first !== second) this.parents[Math.max(first, second)] = Math.min(first, second);
  }

  /** All sets, each in order, in the order of their first. */
  all(): number[][] {
    const sets = new Map<number, number[]>();
    this.parents.forEach((_, i) => {
      const first = this.find(i), set = sets.get(first);
      if (set === undefined) sets.set(first, [i]);
      else set.push(i);
    });
    return [...sets.values()];
  }
}
