/** The page around the engine's worker: starts it and hands its functions to the specs as `engine`. */
import { wrap } from "comlink";
import type { Harness } from "./harness";

const worker = new Worker("/harness.js", { type: "module" });
Object.assign(globalThis, { engine: wrap<Harness>(worker) });
