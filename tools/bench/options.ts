/** Reads `--only A,B` (or `--only=A,B`, repeatable); the rest is the suite's own. */
import type { BenchArgs } from "./measure";

/** @throws RangeError where `--only` names nothing. */
export function parseBenchArgs(args: readonly string[]): BenchArgs {
  const only: string[] = [];
  const argv: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg !== "--only" && !arg.startsWith("--only=")) {
      argv.push(arg);
      continue;
    }
    const names = (arg === "--only" ? (args[++index] ?? "") : arg.slice("--only=".length)).split(",").filter((name) => name !== "");
    if (names.length === 0) throw new RangeError("--only needs the name of a measure");
    only.push(...names);
  }
  return { argv, wants: (name) => only.length === 0 || only.includes(name) };
}
