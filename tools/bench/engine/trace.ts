/**
 * Where a train step's time goes: onnxruntime's own profile of the sessions that
 * the trainer opens, summed over a few steps after the warm-up, by operator, by
 * operator and shapes, and by node. For tuning; makes tables, not measures. Knows
 * no browser and no Node: where a profile ends up is theirs.
 */
import type { ExecutionPlan } from "../../../lib/train/execution/types";
import type { Storage } from "../../../lib/train/model/held";
import type { Backend } from "../../../lib/train/runtime/backend";
import { median } from "../measure";
import type { Size } from "./sizes";
import { TrainSubject } from "./subject";

const WARM_UP = 3;
const STEPS = 5;
const ROWS = 40;

type Shapes = readonly Readonly<Record<string, readonly number[]>>[];

/** Of a Chrome trace, as onnxruntime writes it. Times in microseconds. */
export interface TraceEvent {
  cat: string;
  name: string;
  ts: number;
  dur: number;
  args: { op_name?: string; input_type_shape?: Shapes; output_type_shape?: Shapes };
}

export interface Row {
  what: string;
  /** How often in a step. */
  count: number;
  msPerStep: number;
  /** Of products; 0 for everything else. */
  gflops: number;
}

/** The events of the steps after the warm-up, of one session, which each step runs equally often. */
export function afterWarmUp(trace: readonly TraceEvent[], warmUp: number, steps: number): TraceEvent[] {
  const runs = trace.filter(({ name }) => name === "model_run").sort((a, b) => a.ts - b.ts);
  const first = runs[(runs.length * warmUp) / (warmUp + steps)];
  return first === undefined ? [] : trace.filter(({ ts }) => ts >= first.ts);
}

const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const shapeList = (shapes: Shapes = []): (readonly number[])[] => shapes.flatMap((shape) => Object.values(shape).slice(0, 1));

/** Two for each multiply-add. */
function productFlops({ args }: TraceEvent): number {
  if (!/Gemm|MatMul/.test(args.op_name ?? "")) return 0;
  const [left] = shapeList(args.input_type_shape);
  const [out] = shapeList(args.output_type_shape);
  if (left === undefined || out === undefined || elements(out) === 0) return 0;
  return 2 * elements(left) * (out.at(-1) ?? 0);
}

/** Kernels summed by what `key` calls them, slowest first. */
export function sumBy(events: readonly TraceEvent[], steps: number, key: (event: TraceEvent) => string): Row[] {
  const sums = new Map<string, { count: number; us: number; flops: number }>();
  for (const event of events) {
    if (event.cat !== "Node" || !event.name.endsWith("_kernel_time")) continue;
    const sum = sums.get(key(event)) ?? { count: 0, us: 0, flops: 0 };
    sum.count++;
    sum.us += event.dur;
    sum.flops += productFlops(event);
    sums.set(key(event), sum);
  }
  return [...sums]
    .map(([what, { count, us, flops }]) => ({ what, count: count / steps, msPerStep: us / 1000 / steps, gflops: us > 0 ? flops / us / 1000 : 0 }))
    .sort((a, b) => b.msPerStep - a.msPerStep);
}

export const operator = ({ args, name }: TraceEvent): string => args.op_name ?? name;
export const withShapes = (event: TraceEvent): string => {
  const list = (shapes: Shapes | undefined): string => shapeList(shapes).map((shape) => shape.join("×") || "1").join(", ");
  return `${operator(event)} (${list(event.args.input_type_shape)}) → ${list(event.args.output_type_shape)}`;
};
export const nodeName = (event: TraceEvent): string => `${event.name.replace(/_kernel_time$/, "")} ${withShapes(event)}`;

function table(title: string, rows: readonly Row[]): string {
  const total = rows.reduce((n, { msPerStep }) => n + msPerStep, 0);
  const lines = rows.slice(0, ROWS).map(({ what, count, msPerStep, gflops }) =>
    [msPerStep.toFixed(3).padStart(10), `${((100 * msPerStep) / total).toFixed(1)} %`.padStart(8), String(Number(count.toFixed(2))).padStart(6), (gflops > 0 ? gflops.toFixed(1) : "").padStart(8), ` ${what}`].join(" "));
  return [`\n${title}: ${total.toFixed(2)} ms a step in kernels`, "        ms    share  count  GFLOP/s", ...lines].join("\n");
}

/** Everything that the tables show, for the sessions' traces. @param stepMs of each measured step, by the clock */
export function report(traces: readonly (readonly TraceEvent[])[], stepMs: readonly number[]): string {
  const events = traces.flatMap((trace) => afterWarmUp(trace, WARM_UP, STEPS));
  const runs = events.filter(({ name }) => name === "model_run");
  const runMs = runs.reduce((n, { dur }) => n + dur, 0) / 1000 / STEPS;
  return [
    `A step takes ${median(stepMs).toFixed(2)} ms, ${runMs.toFixed(2)} of them inside ${Number((runs.length / STEPS).toFixed(2))} runs of a session.`,
    table("By operator", sumBy(events, STEPS, operator)),
    table("By operator and shapes", sumBy(events, STEPS, withShapes)),
    table("By node", sumBy(events, STEPS, nodeName)),
  ].join("\n");
}

/** The same backend, profiling every session; `end` closes the profiles. */
export function profiling(backend: Backend, prefix: string): { backend: Backend; end: () => void } {
  const { ort } = backend;
  const sessions: { endProfiling: () => void }[] = [];
  const InferenceSession: Backend["ort"]["InferenceSession"] = {
    create: async (model, options) => {
      const session = await ort.InferenceSession.create(model, { ...options, enableProfiling: true, profileFilePrefix: prefix });
      sessions.push({ endProfiling: () => session.endProfiling() });
      return session;
    },
  };
  return { backend: { ...backend, ort: { ...ort, Tensor: ort.Tensor, InferenceSession } }, end: () => sessions.forEach((session) => session.endProfiling()) };
}

/** Takes the steps; gives the times of those after the warm-up. */
export async function profiledSteps(backend: Backend, size: Size, storage: Storage, plan?: ExecutionPlan): Promise<number[]> {
  const subject = await TrainSubject.create(backend, size, storage, plan);
  const times: number[] = [];
  for (let step = 0; step < WARM_UP + STEPS; step++) times.push((await subject.step()).ms);
  return times.slice(WARM_UP);
}
