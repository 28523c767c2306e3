/** A run of a tiny model, once to its end and once killed again and again. Runs in the worker of harness.ts. */
import type { Backend } from "../../lib/train/runtime/backend";
import { planSteps } from "../../lib/train/sft/plan";
import type { SftConfig } from "../../lib/train/sft/config";
import { SftTrainer } from "../../lib/train/sft/trainer";
import { killedAt, type Subject } from "../../lib/train/testing/cut";
import { randomExamples, settings } from "../../lib/train/testing/tiny";
import { mapOf, type TinyCase } from "./tiny";

/** What a run did, in order, with every number; and why it said that its numbers would not be the same. */
export interface ResumeReport {
  whole: string[];
  cut: string[];
  adaptersDiffer: boolean;
  differences: string[];
}

/**
 * @param every kills at each step that is a multiple of it
 * @param changed settings of the run that is killed, which are not the other's: for the control
 */
export async function resumed(backend: Backend, steps: number, every: number, changed: Partial<SftConfig>, tiny: TinyCase): Promise<ResumeReport> {
  const config = settings({ learningRate: 0.01, maxSteps: steps, evaluations: 2, saveSteps: 7, lora: { dropout: 0.1 } });
  const weights = mapOf(tiny.weights);
  const plan = planSteps([randomExamples("resume", 40)], config);
  const subject: Subject = { backend, model: tiny.config, weights, config, plan, validation: randomExamples("validation", 4) };
  // Open to the end: with its last session the runtime forgets its compiled kernels.
  const anchor = await SftTrainer.create(backend, tiny.config, weights, config);
  const differences: string[] = [];
  const whole = await killedAt(subject, []);
  const kills = Array.from({ length: Math.floor(steps / every) }, (_, i) => ["step", every * (i + 1)] as const);
  const cut = await killedAt({ ...subject, config: { ...config, ...changed } }, kills, (_, found) => void differences.push(...found));
  await anchor.dispose();
  const same = [...whole.result.adapter].every(([name, data]) => cut.result.adapter.get(name)!.every((v, i) => v === data[i]));
  return { whole: whole.store.log, cut: cut.store.log, adaptersDiffer: !same, differences };
}
