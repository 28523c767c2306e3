/** Numbers, sizes and times in the words of the page. British forms, the same on every machine, so that the prerendered text matches. */
const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });

export const count = (n: number): string => whole.format(n);

/** "1 piece", "46 pieces", "9,120 words". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

/** Fixed decimals with a true minus sign. */
export const decimal = (n: number, digits: number): string => n.toFixed(digits).replace("-", "−");

/** Two perplexities to be compared: whole numbers where they differ clearly, else as many decimals as show the difference. */
export function perplexities(before: number, after: number): [string, string] {
  const digits = Math.abs(before - after) >= 2 && Math.min(before, after) >= 10 ? 0 : Math.abs(before - after) >= 0.1 ? 1 : 2;
  const write = (n: number): string => (digits === 0 ? count(n) : decimal(n, digits));
  return [write(before), write(after)];
}

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  if (n < 1e6) return `${decimal(n / 1e3, n < 1e4 ? 1 : 0)} KB`;
  if (n < 1e9) return `${decimal(n / 1e6, n < 1e7 ? 1 : 0)} MB`;
  return `${decimal(n / 1e9, 1)} GB`;
}

/** "40 s", "3 min 20 s", "1 h 5 min". */
export function duration(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return s % 60 === 0 ? `${s / 60} min` : `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
}

/** What is left, no more exact than it is known: "about 40 s", "about 3 min". */
export function roughly(ms: number): string {
  const s = ms / 1000;
  if (s < 10) return "a few seconds";
  if (s < 90) return `about ${Math.round(s / 5) * 5} s`;
  if (s < 5400) return `about ${Math.round(s / 60)} min`;
  return `about ${decimal(s / 3600, 1)} h`;
}

export const date = (ms: number): string => day.format(ms);

/** A name for a file: letters and figures of the name, joined by hyphens. */
export function fileName(name: string, ending: string): string {
  const stem = name.normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").toLowerCase().slice(0, 60);
  return `${stem || "ductus"}${ending}`;
}
