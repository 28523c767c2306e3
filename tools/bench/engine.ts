/**
 * The engine by itself: `npm run bench -- engine [--only NAME,…] [--rounds N]`.
 * Train steps of three sizes in a Chromium tab (wasm), in Node and in PyTorch,
 * and what of the machine's speed they use; memory of a streamed 4-bit run;
 * writing speed; nodes of a layer. Each measure opens and closes its own browser
 * and Python. For tuning, `--plan whole|streamed|recompute` sets the execution of
 * the steps, and `--profile SIZE [--in tab|node] [--storage f32|f16|q8|q4]` prints
 * where a step's time goes instead.
 */
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { DECODE_NAME, measureDecode } from "./engine/decode";
import { measureNodes, NODES_NAME } from "./engine/nodes";
import { profileInNode, profileInTab } from "./engine/profile";
import { measureQ4, Q4_NAMES } from "./engine/q4";
import { SIZE_NAMES } from "./engine/sizes";
import { measureSteps, PLANS, stepNames } from "./engine/steps";
import type { BenchArgs, Measure } from "./measure";

/** @throws RangeError on a value that is none of the keys */
function oneOf<K extends string>(option: string, keys: readonly K[], value: string | undefined): K | undefined {
  const found = keys.find((key) => key === value);
  if (value !== undefined && found === undefined) throw new RangeError(`--${option} takes one of ${keys.join(", ")}.`);
  return found;
}

export async function* run({ argv, wants }: BenchArgs): AsyncIterable<Measure> {
  const { values } = parseArgs({ args: argv, options: { rounds: { type: "string" }, plan: { type: "string" }, profile: { type: "string" }, in: { type: "string" }, storage: { type: "string" } } });
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) throw new RangeError("--rounds takes a whole number above 0.");
  const planName = oneOf("plan", Object.keys(PLANS) as (keyof typeof PLANS)[], values.plan);
  const plan = planName && PLANS[planName];
  const profiled = oneOf("profile", SIZE_NAMES, values.profile);
  const place = oneOf("in", ["tab", "node"], values.in);
  const storage = oneOf("storage", ["f32", "f16", "q8", "q4"], values.storage) ?? "f32";
  if (profiled !== undefined) {
    console.error(await (place === "node" ? profileInNode(profiled, storage, plan) : profileInTab(profiled, storage, plan))); // no measure, so not among them
    return;
  }

  yield { name: "engine.machine", value: availableParallelism(), unit: "cores", note: `${cpus()[0]?.model.trim() ?? "?"}, Node ${process.version}, load ${loadavg()[0]?.toFixed(1) ?? "?"}` };
  if (wants(NODES_NAME)) yield measureNodes();
  for (const size of SIZE_NAMES) {
    if (Object.values(stepNames(size)).some(wants)) yield* measureSteps(size, wants, { rounds, plan });
  }
  if (Object.values(Q4_NAMES).some(wants)) yield* measureQ4(wants);
  if (wants(DECODE_NAME)) yield await measureDecode(rounds);
}
