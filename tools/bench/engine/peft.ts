/** PyTorch with PEFT in a Python process, a step at a time: what a user would pick instead. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ALPHA, LEARNING_RATE, promptLength, RANK, sftConfig, type Size } from "./sizes";
import type { Stepped } from "./subject";

export interface Peer {
  versions: string;
  threads: number;
  /** Numbers that are trained. */
  trained: number;
  step(): Promise<Stepped>;
  close(): void;
}

const script = fileURLToPath(new URL("peft_step.py", import.meta.url));

/** Null where Python or one of its packages is missing; the reason goes to standard error. */
export async function openPeft(size: Size): Promise<Peer | null> {
  const { config, batch, seq } = size;
  const settings = { config, batch, seq, promptLength: promptLength(size), rank: RANK, alpha: ALPHA, learningRate: LEARNING_RATE, maxGradNorm: sftConfig(size).maxGradNorm };
  const python = spawn(process.env["DUCTUS_PYTHON"] ?? "python3", [script, JSON.stringify(settings)], { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  python.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
  python.stdin.on("error", () => undefined); // it has gone; the next answer says so
  let fault: Error | null = null;
  const gone = new Promise<null>((resolve) => {
    python.once("error", (error) => resolve(((fault = error), null)));
    python.once("close", (code) => resolve(((fault ??= new Error(`Python ended with ${code}:\n${said}`)), null)));
  });
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const next = await Promise.race([lines.next(), gone]);
    if (next === null || next.done === true) {
      await gone;
      throw fault ?? new Error("Python ended.");
    }
    return JSON.parse(next.value);
  };
  try {
    const hello = (await answer()) as Pick<Peer, "versions" | "threads" | "trained">;
    return {
      ...hello,
      step: async () => {
        python.stdin.write("step\n");
        return (await answer()) as Stepped;
      },
      close: () => python.stdin.end(),
    };
  } catch (error) {
    console.error(`No PyTorch to compare with (set DUCTUS_PYTHON): ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
