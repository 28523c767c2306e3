/**
 * Where a command's results and its progress go: JSON lines to standard output,
 * sentences to standard error. Numbers that were computed in f32 are written
 * with nine significant digits, which tell any two of them apart.
 */
import { serializeError } from "../../lib/core/errors";

export interface Output {
  /** A result, as one line of JSON; never within a line that was begun and not ended. Resolves when the reader keeps up. */
  line: (value: unknown) => Promise<void>;
  /** A part of a line. */
  write: (text: string) => Promise<void>;
  /** A sentence for a person who watches. */
  progress: (text: string) => void;
}

/** JSON has no infinities and no NaN; a result that holds one is a fault of the command. */
const finiteOnly = (_: string, value: unknown): unknown => {
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`a result is ${value}`);
  return value;
};

export const jsonLine = (value: unknown) => `${JSON.stringify(value, finiteOnly)}\n`;

/** A number of f32 precision as JSON. */
export const f32Json = (value: number) => String(f32Number(value));
export const f32Number = (value: number) => Number(value.toPrecision(9));

/** Next steps of somebody in front of the site: none here. */
const OF_THE_SITE = /\b(page|tabs|browser)\b/;

/** The line that a failed command ends with. */
export function errorLine(error: unknown): { error: { code: string; message: string; nextStep?: string; details?: string } } {
  const { code, message, next, details } = serializeError(error);
  // serializeError speaks to somebody in front of a page.
  if (code === "app/unexpected") return { error: { code, message: "Something went wrong that was not foreseen.", ...(details === undefined ? {} : { details }) } };
  return { error: { code, message, ...(next === "" || OF_THE_SITE.test(next) ? {} : { nextStep: next }), ...(details === undefined ? {} : { details }) } };
}

/** Standard output and standard error of this process. A reader that has gone ends it, as it ends other programs. */
export function processOutput(): Output {
  process.stdout.on("error", () => process.exit(1));
  let ended = true;
  const write = (text: string) => new Promise<void>((resolve) => {
    ended = text.endsWith("\n");
    if (process.stdout.write(text)) resolve();
    else process.stdout.once("drain", resolve);
  });
  return {
    write,
    line: (value) => write(`${ended ? "" : "\n"}${jsonLine(value)}`),
    progress: (text) => process.stderr.write(`${text}\n`),
  };
}
