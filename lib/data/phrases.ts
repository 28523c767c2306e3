/** Small pieces of English that sentences about data are made of. British forms, the same on every machine. */
const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** "1 piece", "46 pieces", "9,120 words". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${whole.format(n)} ${n === 1 ? one : many}`;

export const quoted = (name: string): string => `“${name}”`;

/** "A", "A and B", "A, B and 3 others": at most `most` of them by name. */
export function listed(items: readonly string[], most = 3): string {
  const shown = items.length <= most ? items : items.slice(0, most - 1);
  const all = shown.length < items.length ? [...shown, `${items.length - shown.length} others`] : shown;
  return all.length < 2 ? (all[0] ?? "") : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}

const FRACTIONS: readonly (readonly [share: number, words: string])[] = [
  [0.1, "a tenth"], [0.2, "a fifth"], [0.25, "a quarter"], [1 / 3, "a third"], [0.4, "two fifths"], [0.5, "half"], [0.6, "three fifths"], [2 / 3, "two thirds"], [0.75, "three quarters"], [0.8, "four fifths"], [0.9, "nine tenths"],
];

/** A share in words: "a little" below 7 %, then the nearest of the usual fractions, "nearly all" above 95 %. */
export function fraction(share: number): string {
  if (share < 0.07) return "a little";
  if (share > 0.95) return share === 1 ? "all" : "nearly all";
  return FRACTIONS.reduce((best, entry) => (Math.abs(entry[0] - share) < Math.abs(best[0] - share) ? entry : best))[1];
}
