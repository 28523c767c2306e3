/**
 * The training stage: whether a work folder's checkpoints may be gone on from
 * with this recipe, and the run of either engine up to a step. Which engine it is
 * may change at every checkpoint.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DuctusError } from "../../lib/core/errors";
import { checkpointSteps, ensureCheckpoint } from "./checkpoint";
import { dataHash, type StageContext } from "./data-stages";
import { runPython } from "./python";
import { parseRecipe, type Phase, PHASES, phaseSteps, totalSteps, type Recipe } from "./recipe";
import { hashOf } from "./stages";
import { trainOnNode, type LogLine } from "./train";

export type EngineName = "torch" | "node";

export interface TrainStageOptions {
  engine: EngineName;
  threads: number;
  /** Stop after so many steps of the whole run. */
  until: number;
  /** Further options of train.py. */
  torchArgs: readonly string[];
}

/** @returns steps done. @throws DuctusError `train/other-recipe`, `app/python`, and those of the engines */
export async function train({ work, recipe, signal, progress }: StageContext, { engine, threads, until, torchArgs }: TrainStageOptions): Promise<number> {
  const end = Math.min(until, totalSteps(recipe));
  const begun = checkpointSteps(work).at(-1) ?? 0;
  if (begun >= end) {
    progress(`train: ${begun} steps were done before`);
    return begun;
  }
  progress(`train: from step ${begun} to ${end} of ${totalSteps(recipe)}, engine ${engine}`);
  const report = progressOf(recipe, end, progress);
  if (engine === "node") {
    await trainOnNode(work, recipe, { threads, until: end, signal, onLine: report });
  } else {
    ensureCheckpoint(work, recipe);
    const script = fileURLToPath(new URL("train.py", import.meta.url));
    await runPython([script, work, "--until", String(end), "--threads", String(threads), ...torchArgs], signal, (line) => report(JSON.parse(line) as LogLine));
  }
  return checkpointSteps(work).at(-1) ?? 0;
}

/** What may change while a run goes on: how it is computed and watched, not what. */
const FREE = new Set(["checkpointSteps", "evaluateSteps", "evaluateWindows", "microBatch", "name"]);
/** Made before training and hashed on its own. */
const OF_THE_DATA = new Set(["tokenizer", "heldOutModulo"]);

/** Hashes of what the weights follow from: of each phase but for its length, and of all else. */
export async function trainingKeys(recipe: Recipe, work: string): Promise<Record<Phase | "all", string>> {
  const { forms: _, ...rest } = recipe;
  rest.init = rest.init && { ...rest.init, folder: "" }; // it may have been moved; checkpoints hold what was in it
  const ofPhase = (phase: Phase): string => hashOf({ ...recipe[phase], steps: null, microBatch: null });
  const binding = Object.entries(rest).filter(([name]) => !FREE.has(name) && !OF_THE_DATA.has(name) && !(PHASES as readonly string[]).includes(name));
  return { all: hashOf({ data: await dataHash(work), recipe: binding }), stable: ofPhase("stable"), decay: ofPhase("decay"), long: ofPhase("long") };
}

/**
 * Checks that checkpoints in the folder were made with this recipe. A phase that
 * has not begun may be another one, and the stable one may have another length
 * until the decay begins; the decay's rate follows from the lengths of all.
 * @throws DuctusError `train/other-recipe`
 */
export async function checkRecipe({ work, recipe, stages }: StageContext): Promise<void> {
  const done = checkpointSteps(work).at(-1) ?? 0;
  const keys = await trainingKeys(recipe, work);
  if (done > 0) {
    const facts = stages.facts("train") as { keys: typeof keys } | undefined;
    const path = join(work, "recipe.json");
    const before = existsSync(path) ? parseRecipe(readFileSync(path, "utf8")) : recipe;
    const begun = PHASES.filter((phase) => done > phaseSteps(before, phase).first);
    if (facts !== undefined && (["all", ...begun] as const).some((name) => facts.keys[name] !== keys[name])) throw other("its model, data or rates are not the same");
    if (done > before.stable.steps && PHASES.some((phase) => before[phase].steps !== recipe[phase].steps)) throw other("its decay, which has begun, had other lengths");
    if (done > phaseSteps(recipe, "stable").end && done <= before.stable.steps) throw other(`it is at step ${done} of the stable phase, which is to have ${recipe.stable.steps}`);
  }
  stages.setDone("train", hashOf(keys), [], { keys });
}

const other = (why: string): DuctusError => new DuctusError("train/other-recipe", `The work folder holds a run of another recipe: ${why}.`, "Take another work folder, or the recipe of before.");

const TELL_EVERY_MS = 5000;

/** Sentences about log lines: now and then, and whenever held-out bits were measured. */
function progressOf(recipe: Recipe, end: number, progress: (text: string) => void): (line: LogLine) => void {
  let told = 0, seconds = 0, steps = 0;
  return (line) => {
    seconds += line.seconds;
    steps++;
    if (Date.now() - told < TELL_EVERY_MS && line.heldOutBits === undefined && line.step !== end) return;
    told = Date.now();
    const left = ((end - line.step) * seconds) / steps;
    const held = line.heldOutBits === undefined ? "" : `, held out ${line.heldOutBits.toFixed(4)} bits a byte${line.heldOutBitsAverage === undefined ? "" : ` (running mean ${line.heldOutBitsAverage.toFixed(4)})`}`;
    progress(`train: step ${line.step} of ${totalSteps(recipe)} (${line.phase}), loss ${line.loss.toFixed(4)}${held}, ${Math.round((steps * recipe.tokensPerStep) / seconds).toLocaleString("en-US")} tokens a second, ${duration(left)} left`);
  };
}

function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes} min`;
}
