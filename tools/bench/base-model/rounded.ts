/** To four decimals, as lines print it. */
export const rounded = (value: number): number => Number(value.toFixed(4));
