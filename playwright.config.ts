/**
 * End-to-end tests in a real Chromium against the production build. `wasm` is
 * the browser as most of our tests meet it, without a GPU; `webgpu` runs the
 * files named *.webgpu.spec.ts on Chromium's software adapter.
 */
import { defineConfig } from "@playwright/test";
import { chromiumArgs, findChromium } from "./tools/run/chromium.mjs";

const port = Number(process.env["DUCTUS_TEST_PORT"] ?? 4310);
const executablePath = findChromium();
if (executablePath === undefined) throw new Error("No Chromium found. `npm test` installs one; DUCTUS_CHROMIUM names another.");

const launchOptions = (args: string[]) => ({ executablePath, args: [...chromiumArgs, ...args] });
/**
 * Kernels without the zeros that the browser writes into their shared memory first: a software adapter compiles them in
 * half the time, and a kernel that relies on those zeros fails.
 */
const softwareAdapter = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-dawn-features=disable_workgroup_init"];
/** `DUCTUS_TRACE=1` keeps a trace of each test that fails; recording one makes every test a fifth slower. */
const tracing = process.env["DUCTUS_TRACE"] === "1" ? "retain-on-failure" : "off";
const WEBGPU = /.*\.webgpu\.spec\.ts/;

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results/e2e",
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env["CI"] !== undefined,
  retries: 0,
  timeout: process.env["DUCTUS_LONG"] === "1" ? 3_600_000 : 600_000, // no test fails for being slow
  use: { baseURL: `http://localhost:${port}`, trace: tracing },
  projects: [
    { name: "wasm", testIgnore: WEBGPU, use: { launchOptions: launchOptions([]) } },
    { name: "webgpu", testMatch: WEBGPU, use: { launchOptions: launchOptions(softwareAdapter) } },
  ],
  webServer: {
    command: `node tools/run/serve.mjs --port ${port}`,
    url: `http://localhost:${port}`,
    reuseExistingServer: false,
    timeout: 60_000,
  },
});
