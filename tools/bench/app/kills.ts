/**
 * `app.kills_survived`: the renderer killed as the system would, at a seeded
 * moment of an import, a training step, the writing of a checkpoint, an answer
 * and a deletion; then the page is opened again, as a person would open it. What
 * counts as survived is in survival.ts, and goes by what IndexedDB holds; what
 * was cut off must then come to its end, too.
 */
import type { Browser } from "@playwright/test";
import { Random } from "../../../lib/core/random";
import { aim, type Line } from "../measure";
import { duringDeletion } from "./kill-deletion";
import { duringImport } from "./kill-import";
import { duringAnswer } from "./kill-answer";
import { atCheckpoint, duringTraining } from "./kill-training";

export const KILLS = "app.kills_survived";
export const MOMENTS = ["import", "training", "checkpoint", "generation", "deletion"] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Round {
  /** What is wrong, in words; empty where all survived. */
  wrong: string[];
  /** How far it had come when it was killed, in a word or a number. */
  at: string;
}

/** What a kind of kill is given: where to do it, and its seeded numbers from 0 to 1, one a round. */
export interface Kills {
  browser: Browser;
  address: string;
  moments: readonly number[];
  /** Told after each round. */
  progress: (text: string) => void;
}

const KINDS: Record<Moment, (kills: Kills) => AsyncIterable<Round>> = { import: duringImport, training: duringTraining, checkpoint: atCheckpoint, generation: duringAnswer, deletion: duringDeletion };
const SHOWN_FAULTS = 10;

export const momentsOf = (moment: Moment, count: number): number[] => {
  const random = new Random(`kills ${moment}`);
  return Array.from({ length: count }, () => random.uniform());
};

/** @param each kills of each kind @param only some kinds, for a quick look */
export async function measureKills(browser: Browser, address: string, each: number, only: readonly string[] = MOMENTS): Promise<Line> {
  const rounds: { moment: Moment; round: Round }[] = [];
  for (const moment of MOMENTS.filter((one) => only.includes(one))) {
    const progress = (text: string): void => console.error(`kills, ${moment}: ${text}`);
    let done = 0;
    try {
      for await (const round of KINDS[moment]({ browser, address, moments: momentsOf(moment, each), progress })) {
        rounds.push({ moment, round });
        progress(`${++done} of ${each}, killed ${round.at}: ${round.wrong.join("; ") || "survived"}`);
      }
    } catch (error) {
      // The rest of this kind count as not survived: why is told.
      console.error(error);
      for (; done < each; done++) rounds.push({ moment, round: { at: "never", wrong: [`could not be done: ${error instanceof Error ? error.message : String(error)}`] } });
    }
  }
  return killsLine(rounds);
}

export function killsLine(rounds: readonly { moment: Moment; round: Round }[]): Line {
  const survived = rounds.filter(({ round }) => round.wrong.length === 0);
  const kinds = MOMENTS.flatMap((moment) => {
    const mine = rounds.filter((one) => one.moment === moment);
    return mine.length === 0 ? [] : [{ moment, survived: mine.filter(({ round }) => round.wrong.length === 0).length, n: mine.length, at: mine.map(({ round }) => round.at) }];
  });
  const faults = rounds.filter(({ round }) => round.wrong.length > 0).map(({ moment, round }) => ({ moment, at: round.at, wrong: round.wrong.slice(0, 3) }));
  return {
    name: KILLS, value: survived.length, unit: "kills", n: rounds.length, ...aim(survived.length, "≥", rounds.length), moments: kinds,
    ...(faults.length > 0 ? { faults: faults.slice(0, SHOWN_FAULTS) } : {}),
    note: `SIGKILL of every renderer at seeded moments, of ${rounds.length}; by what IndexedDB held before and after, and by the end that what was cut off came to`,
  };
}
