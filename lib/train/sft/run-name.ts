/** What runs are called where the person has given no name: “Thorough, 21 Nov, 1,240 words”. */
import type { Run } from "../../store/types";
import { dialOf, dialWords } from "./dial";

export interface NamedRun extends Pick<Run, "config" | "createdAt" | "name" | "writing" | "start"> {
  /** Of the model, where it is known: without it nobody can say where the dial stood. */
  parameters?: number;
}

export interface NameOptions {
  /** Of the present, for the year where it is another; Unix milliseconds. */
  now: number;
  /** IANA; absent: the browser's. */
  timeZone?: string;
}

/** The name that it was given, else by the dial, the day, and the words it learned from. */
export function runName(run: NamedRun, { now, timeZone }: NameOptions): string {
  if (run.name !== undefined) return run.name;
  const zone = timeZone === undefined ? {} : { timeZone };
  const write = (options: Intl.DateTimeFormatOptions, at = run.createdAt) => new Intl.DateTimeFormat("en-GB", { ...options, ...zone }).format(at);
  const year = write({ year: "numeric" }), sameYear = year === write({ year: "numeric" }, now);
  const day = `${write({ day: "numeric" })} ${MONTHS[Number(write({ month: "numeric" })) - 1]!}${sameYear ? "" : ` ${year}`}`;
  const words = run.writing?.words;
  return [dialPart(run), day, ...(words === undefined ? [] : [`${words.toLocaleString("en-GB")} ${words === 1 ? "word" : "words"}`]), ...(run.start === undefined ? [] : ["going on"])].join(", ");
}

/** Browsers write September as Sep or Sept. */
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function dialPart({ config, writing, parameters }: NamedRun): string {
  if (parameters === undefined || writing === undefined) return "Run";
  const situation = { parameters, words: writing.words };
  // What an adapter to go on from settles is not the dial's.
  const position = dialOf(config, situation);
  return position === null ? "Own settings" : dialWords(position, situation).label;
}

/** The runs' names in their order, each a different one: of equal ones the time of day, then a number, is added. */
export function distinctNames(runs: readonly NamedRun[], options: NameOptions): string[] {
  const { timeZone } = options;
  const names = runs.map((run) => runName(run, options));
  const isTwice = (name: string, all: readonly string[]) => all.indexOf(name) !== all.lastIndexOf(name);
  const timed = names.map((name, i) => (isTwice(name, names) ? `${name}, ${new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", ...(timeZone === undefined ? {} : { timeZone }) }).format(runs[i]!.createdAt)}` : name));
  const taken = new Set<string>();
  return timed.map((name) => {
    let free = name;
    for (let n = 2; taken.has(free); n++) free = `${name} (${n})`;
    taken.add(free);
    return free;
  });
}
