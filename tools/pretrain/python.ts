/** Runs a script with the Python that DUCTUS_PYTHON names (else python3). Its lines come as they are printed; its standard error goes to ours. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { DuctusError } from "../../lib/core/errors";

/** glibc gives large buffers back and takes them anew, page by page: kept instead, a training step takes a tenth less time. */
const KEEP_MEMORY = { MALLOC_MMAP_THRESHOLD_: String(2 ** 30), MALLOC_TRIM_THRESHOLD_: String(2 ** 33), MALLOC_TOP_PAD_: String(2 ** 28) };

/**
 * Resolves when it has ended with 0. When the signal aborts it is sent SIGTERM
 * and waited for, and may still end with 0.
 * @throws DuctusError `app/python`; the signal's reason where it was aborted and did not end with 0
 */
export async function runPython(args: readonly string[], signal: AbortSignal, onLine: (line: string) => void): Promise<void> {
  signal.throwIfAborted();
  const python = process.env["DUCTUS_PYTHON"] ?? "python3";
  const child = spawn(python, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...KEEP_MEMORY, ...process.env } });
  const stop = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      child.on("error", (cause) => reject(new DuctusError("app/python", `${python} cannot be started.`, "Set DUCTUS_PYTHON to a Python with the packages of tools/reference/requirements.txt.", { cause })));
      child.on("close", resolve);
    });
    ended.catch(() => {}); // awaited below
    for await (const line of createInterface({ input: child.stdout })) onLine(line);
    const code = await ended;
    if (code === 0) return;
    signal.throwIfAborted();
    throw new DuctusError("app/python", `${args[0] ?? python} ended with ${code === null ? "a signal" : `status ${code}`}.`, "What it printed says why.");
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
