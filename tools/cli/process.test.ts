/** The command line as a process of its own: what it prints where, and that a killed run goes on as if it had not been. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readCall, writeTinyModel, type Call } from "./testing/folders";

const folder = mkdtempSync(join(tmpdir(), "ductus-cli-process-"));
const script = fileURLToPath(new URL("../run/ductus.mjs", import.meta.url));

beforeAll(() => {
  writeTinyModel(join(folder, "model"));
  writeFileSync(join(folder, "text.txt"), "Rain.");
  writeFileSync(join(folder, "data.jsonl"), Array.from({ length: 10 }, (_, i) => JSON.stringify({ prompt: `Line ${i}:`, completion: ` it rained ${i} times, and then it stopped.` })).join("\n"));
  // Dropout, 8-bit state and a shuffled order: all that a resumed run could get wrong. More steps than any run here takes before it is cut.
  writeFileSync(join(folder, "config.json"), JSON.stringify({ per_device_train_batch_size: 2, max_steps: 5000, learning_rate: 0.02, lora_dropout: 0.2, optim: "adamw_8bit", target_modules: "all-linear", save_steps: 4 }));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Child = ChildProcessByStdio<null, Readable, Readable>;
const start = (...args: string[]): Child => spawn(process.execPath, [script, ...args], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });

/** Runs to its end, or until `killWhen` is true of what it has printed; what a killed process has printed of a line is left out. */
function finish(child: Child, killWhen: (stdout: string) => boolean = () => false): Promise<Call> {
  return new Promise((resolve, reject) => {
    let stdout = "", stderr = "";
    child.stdout.setEncoding("utf8").on("data", (part: string) => {
      stdout += part;
      if (killWhen(stdout)) child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (part: string) => (stderr += part));
    child.on("error", reject);
    child.on("close", (code) => resolve(readCall(code ?? -1, stdout.slice(0, stdout.lastIndexOf("\n") + 1), stderr)));
  });
}

const train = (out: string, ...args: string[]) => start("sft", "--model", "model", "--data", "data.jsonl", "--config", "config.json", "--out", out, "--threads", "1", ...args);
const countLines = (stdout: string) => stdout.split("\n").length - 1;

it("prints results on standard output, progress on standard error, and exits with 0 or 1", async () => {
  const good = await finish(start("logits", "--model", "model", "--text", "text.txt"));
  expect(good.code).toBe(0);
  expect(good.lines.length).toBe(1);
  expect(good.stderr).toContain("reading the model");
  const bad = await finish(start("logits", "--model", "nowhere", "--text", "text.txt"));
  expect(bad.code).toBe(1);
  expect(bad.lines.length).toBe(1);
  expect(bad.error?.code).toBe("file/not-found");
  expect(bad.stderr).toContain("ductus: ");
});

it("ends when nobody reads on", async () => {
  const child = start("logits", "--model", "model", "--text", "text.txt");
  child.stdout.destroy();
  const code = await new Promise<number | null>((resolve) => void child.on("close", resolve));
  expect(code).toBe(1);
});

it("goes on after SIGKILL and after SIGINT with the very numbers of a run that was not cut", async () => {
  const steps = new Map<number, unknown>();
  const take = ({ lines }: Call) => {
    const taken = (lines as { step?: number }[]).flatMap((line) => (line.step === undefined ? [] : [{ step: line.step, line }]));
    for (const { step, line } of taken) {
      if (steps.has(step)) expect(line).toEqual(steps.get(step));
      steps.set(step, line);
    }
    return { first: taken[0]!.step, last: taken.at(-1)!.step };
  };
  const killed = await finish(train("cut"), (stdout) => countLines(stdout) >= 7);
  expect(killed.code).toBe(-1);
  take(killed);
  const again = await finish(train("cut", "--resume"), (stdout) => countLines(stdout) >= 9);
  expect(again.code).toBe(-1);
  expect(take(again).first).toBeGreaterThan(4);

  const interrupted = train("cut", "--resume");
  interrupted.stdout.once("data", () => interrupted.kill("SIGINT"));
  const stopped = await finish(interrupted);
  expect(stopped).toMatchObject({ code: 1, error: { code: "train/stopped" } });
  const { last } = take(stopped);
  const rest = await finish(train("cut", "--resume"), (stdout) => countLines(stdout) >= 5);
  expect(take(rest).first).toBe(last + 1);

  const whole = await finish(train("whole"), (stdout) => countLines(stdout) >= steps.size);
  expect(whole.lines.slice(0, steps.size)).toEqual([...steps].sort(([a], [b]) => a - b).map(([, line]) => line));
});
