/**
 * The options of a command: declared once, from which parsing, the messages
 * about wrong usage and `--help` follow. It knows no command and reads no file.
 */
import { DuctusError } from "../../lib/core/errors";

export interface OptionSpec {
  /** Without the dashes. */
  name: string;
  /** What stands for the value in the help text; absent for a switch. */
  value?: string;
  help: string;
  required?: boolean;
  /** May be given more than once. */
  repeats?: boolean;
}

/** What a command takes without a name for it, one or more. */
export interface OperandSpec {
  /** What stands for one in the help text. */
  value: string;
  help: string;
}

export interface CommandSpec {
  name: string;
  /** One line. */
  summary: string;
  operands?: OperandSpec;
  options: readonly OptionSpec[];
  /** What goes in, what comes out, and how it is computed. */
  details: string;
}

/** `app/usage`: the command was called in a way that it does not know. */
export function usage(message: string, next: string): DuctusError {
  return new DuctusError("app/usage", message, next);
}

/** The values of one call. */
export class Options {
  private constructor(private readonly values: ReadonlyMap<string, readonly string[]>, readonly operands: readonly string[]) {}

  /**
   * Reads `--name value`, `--name=value` and `--switch`, and operands where the command takes any: what does not begin
   * with two dashes, and all that follows a bare `--`.
   * @throws DuctusError `app/usage` naming what is wrong and what is known
   */
  static parse(spec: CommandSpec, args: readonly string[]): Options {
    const known = new Map(spec.options.map((option) => [option.name, option]));
    const values = new Map<string, string[]>();
    const list = [...known.values()].map(title).join(", ");
    const operands: string[] = [];
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      if (spec.operands !== undefined && arg === "--") {
        operands.push(...args.slice(i + 1));
        break;
      }
      if (spec.operands !== undefined && !arg.startsWith("--")) {
        operands.push(arg);
        continue;
      }
      const [, name = "", , inline] = /^--([^=]*)(=([^]*))?$/.exec(arg) ?? [];
      const option = known.get(name);
      if (!option) throw usage(`“${arg.slice(0, 80)}” is not an option of ${spec.name}.`, list === "" ? "It has none." : `Its options: ${list}.`);
      if (values.has(name) && option.repeats !== true) throw usage(`--${name} is given twice.`, "Give it once.");
      let value = inline;
      if (option.value === undefined) {
        if (inline !== undefined) throw usage(`--${name} takes no value.`, `Write just --${name}.`);
        value = "";
      } else if (value === undefined) {
        const next = args[++i];
        value = next === undefined || /^--[a-z]/.test(next) ? "" : next;
      }
      if (option.value !== undefined && value === "") throw usage(`--${name} needs a value.`, `Write ${title(option)}.`);
      values.set(name, [...(values.get(name) ?? []), value]);
    }
    const missing = spec.options.find(({ name, required }) => required === true && !values.has(name));
    if (missing) throw usage(`${spec.name} needs ${title(missing)}.`, `Its options: ${list}. More: --help.`);
    if (spec.operands !== undefined && operands.length === 0) throw usage(`${spec.name} needs ${spec.operands.value}.`, "More: --help.");
    return new Options(values, operands);
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  /** Of a required option. */
  text(name: string): string {
    return this.values.get(name)![0]!;
  }

  optionalText(name: string): string | undefined {
    return this.values.get(name)?.[0];
  }

  all(name: string): readonly string[] {
    return this.values.get(name) ?? [];
  }

  /** @throws DuctusError `app/usage` unless it is one of the choices */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.optionalText(name);
    const chosen = choices.find((choice) => choice === text);
    if (text !== undefined && chosen === undefined) throw usage(`--${name} is “${text.slice(0, 40)}”.`, `Choose ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)!}.`);
    return chosen;
  }

  /** @throws DuctusError `app/usage` unless it is a number within the bounds */
  number(name: string, fallback: number, { least = -Infinity, most = Infinity, whole = false }: { least?: number; most?: number; whole?: boolean } = {}): number {
    const text = this.optionalText(name);
    if (text === undefined) return fallback;
    const value = text.trim() === "" ? NaN : Number(text);
    if (!Number.isFinite(value) || value < least || value > most || (whole && !Number.isSafeInteger(value))) {
      const bounds = `${least === -Infinity ? "" : ` from ${least}`}${most === Infinity ? "" : ` up to ${most}`}`;
      throw usage(`--${name} is “${text.slice(0, 40)}”.`, `Give a ${whole ? "whole " : ""}number${bounds}.`);
    }
    return value;
  }
}

const title = ({ name, value }: OptionSpec) => `--${name}${value === undefined ? "" : ` ${value}`}`;

const WIDTH = 100;

/** The text of `ductus COMMAND --help`. */
export function helpOf(spec: CommandSpec): string {
  const operands = spec.operands === undefined ? [] : [spec.operands];
  const listed = [...operands.map(({ value, help }) => ({ text: `${value}…`, help })), ...spec.options.map((option) => ({ text: title(option), help: option.help }))];
  const column = Math.max(...listed.map(({ text }) => text.length)) + 4;
  const call = [...spec.options.map((option) => (option.required === true ? title(option) : `[${title(option)}]${option.repeats === true ? "…" : ""}`)), ...operands.map(({ value }) => `${value}…`)];
  const rows = listed.map(({ text, help }) => `  ${text.padEnd(column - 2)}${wrap(help, WIDTH - column).join(`\n${" ".repeat(column)}`)}`);
  return [
    `${spec.summary}\n`,
    wrapWords(["npm run -s ductus --", spec.name, ...call], WIDTH - 4).join("\n    "),
    "",
    ...rows,
    "",
    ...spec.details.trim().split("\n").flatMap((line) => (line.startsWith(" ") ? [line] : wrap(line, WIDTH))),
    "",
  ].join("\n");
}

/** Lines of at most `width` characters, broken at spaces. */
const wrap = (text: string, width: number) => wrapWords(text.split(" "), width);

/** Lines of at most `width` characters, broken between words, which may hold spaces. */
function wrapWords(words: readonly string[], width: number): string[] {
  const lines = [""];
  for (const word of words) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
