/**
 * Asks a graphics device whether captured graphs compute what graphs do: the
 * network of the gradient self-test, several times with changing inputs, with
 * capture and without. Needed because a replay that reads an old buffer gives
 * numbers, only wrong ones.
 */
import { targetOf, type Backend } from "./backend";
import { COULD_NOT_RUN, selfTestFeeds, selfTestModel } from "./selftest";
import { Session, type NdArray } from "./session";

/** The first runs are recorded, those after them replayed. */
const RUNS = 5;
/** Relative L2; the kernels are the same. */
const TOLERANCE = 1e-6;

function difference(a: NdArray, b: NdArray): number {
  const [x, y] = [a.data as Float32Array, b.data as Float32Array];
  return Math.hypot(...x.map((v, i) => v - y[i]!)) / (Math.hypot(...y) || 1);
}

const known = new WeakMap<Backend, Promise<string | null>>();

/** @returns null where `capture` may be asked for; else why not, for the report. Tested once for each backend. */
export function captureFault(backend: Backend): Promise<string | null> {
  const found = known.get(backend) ?? test(backend);
  known.set(backend, found);
  return found;
}

async function test(backend: Backend): Promise<string | null> {
  if (!backend.gpu) return "only a graphics processor captures";
  const variant = { target: targetOf(backend), f16: backend.features.f16 };
  const model = selfTestModel(variant, true);
  const sessions: Session[] = [];
  try {
    for (const capture of [false, true]) sessions.push(await Session.create(backend, model, { capture }));
    const [plain, captured] = sessions as [Session, Session];
    for (let run = 0; run < RUNS; run++) {
      const feeds = selfTestFeeds(variant, `capture-${run}`);
      const expected = await plain.run(feeds), actual = await captured.run(feeds);
      for (const [name, value] of Object.entries(expected)) {
        const error = difference(actual[name]!, value);
        if (!(error < TOLERANCE)) return `run ${run + 1} of a captured graph gives another ${name} (off by ${error.toExponential(1)})`;
      }
    }
    return null;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return `${COULD_NOT_RUN} (${cause instanceof Error ? cause.message.slice(0, 200) : String(cause)})`;
  } finally {
    for (const session of sessions) await session.dispose();
  }
}
