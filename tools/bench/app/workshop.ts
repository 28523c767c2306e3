/**
 * The lines of the whole workshop: how much script a screen has, how long the
 * page does not answer and how its memory grows while it trains, how fast writing
 * is read, what survives a kill, what becomes of bad input. `--steps N` cuts the
 * training runs short, `--runs N`, `--mb N`, `--inputs N` and `--kills N` (of each
 * kind, of which `--moments` takes some) make the rest smaller, for a quick look.
 * A line that has something to reach says what, and whether it does.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt, type BenchArgs, type Measure } from "../measure";
import { BAD_INPUTS, measureBadInputs } from "./bad-inputs";
import { BLOCK } from "./blocking";
import { IMPORT, measureImport } from "./import-speed";
import { KILLS, measureKills, MOMENTS } from "./kills";
import { GROWTH, measureBlocks, measureGrowth } from "./long-run";
import { measureScript, SCRIPT } from "./script";
import type { Site } from "./site";

export const ON_SITE = [SCRIPT, BLOCK, GROWTH, IMPORT, KILLS];

export interface WorkshopOptions {
  /** 0: as many as the dial at quick gives. */
  steps: number;
  /** Training runs without a reload. */
  runs: number;
  /** Of the archive, in millions of bytes. */
  mb: number;
  /** Of each kind. */
  kills: number;
  moments: readonly string[];
}

export const FULL = { runs: 10, mb: 50, kills: 20, inputs: 10_000, moments: MOMENTS } as const;

/** @throws RangeError where `--moments` names none that there is */
export function momentsNamed(names: string | undefined): readonly string[] {
  const named = names?.split(",") ?? FULL.moments;
  const unknown = named.find((name) => !(MOMENTS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new RangeError(`--moments takes some of ${MOMENTS.join(", ")}, not ${unknown}.`);
  return named;
}

export async function* onWorkshop({ browser, address }: Site, { steps, runs, mb, kills, moments }: WorkshopOptions, wants: BenchArgs["wants"]): AsyncIterable<Measure> {
  if (wants(SCRIPT)) {
    yield await attempt(SCRIPT, "KB", async () => {
      const folder = mkdtempSync(join(tmpdir(), "ductus-bench-"));
      try {
        return await measureScript(browser, address, join(folder, "state.json"));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
  if (wants(BLOCK)) yield await attempt(BLOCK, "ms", () => measureBlocks(browser, address, steps));
  if (wants(GROWTH)) yield await attempt(GROWTH, "ratio", () => measureGrowth(browser, address, runs, steps));
  if (wants(IMPORT)) yield await attempt(IMPORT, "MB/s", () => measureImport(browser, address, mb));
  if (wants(KILLS)) yield await attempt(KILLS, "kills", () => measureKills(browser, address, kills, moments));
}

/** Needs no site. */
export const onBadInputs = (inputs: number): Promise<Measure> => attempt(BAD_INPUTS, "files", () => measureBadInputs(inputs));
