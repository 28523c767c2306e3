/**
 * A second server of the same build with the Content-Security-Policy, and
 * nothing else, off: the positive control of tests that assert an absence.
 */
import { spawn } from "node:child_process";
import { createServer } from "node:net";

/** A port that nobody uses now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, () => {
      const address = probe.address();
      probe.close(() => {
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  });
}

export interface UnprotectedServer {
  /** Without a slash at its end. */
  address: string;
  stop: () => void;
}

/** @throws Error with the server's words where it does not start. */
export async function startWithoutPolicy(): Promise<UnprotectedServer> {
  const port = await freePort();
  const server = spawn(process.execPath, ["tools/run/serve.mjs", "--port", String(port)], {
    env: { ...process.env, DUCTUS_TEST_NO_CSP: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes("Ductus is at")) resolve();
    };
    server.stdout.on("data", hear);
    server.stderr.on("data", hear);
    server.once("exit", () => {
      reject(new Error(`The server without a policy did not start:\n${said}`));
    });
  });
  return { address: `http://localhost:${port}`, stop: () => void server.kill() };
}
