/** How soon a tab writes: in a fresh browser context and worker, from opening the model to the first token. */
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser } from "@playwright/test";
import { serveEngine } from "../../../e2e/engine/server";
import { manifestSchema, MODEL_FILES } from "../../../lib/train/model/manifest";
import { manifestEntry } from "../../models/make-manifest";
import { chromiumArgs, ensureChromium } from "../../run/chromium.mjs";
import { median, type Measure } from "../measure";
import type { Loaded, LoadHarness } from "./harness";

const ROUNDS = 5;
const ID = "candidate";

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Serves the folder's files to an isolated page of another origin. */
async function serveModel(folder: string): Promise<{ origin: string; close: () => void }> {
  const manifest = JSON.stringify(manifestSchema.parse({ version: 1, models: [manifestEntry(folder, { id: ID, name: ID, licence: "unknown" })] }));
  const headers = { "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin" };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const file = MODEL_FILES.find((name) => path === `/${ID}/${name}`);
    if (path === "/manifest.json") response.writeHead(200, headers).end(manifest);
    else if (file) createReadStream(join(folder, file)).pipe(response.writeHead(200, headers));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function loadOnce(browser: Browser, page: string, models: string): Promise<Loaded> {
  const context = await browser.newContext();
  try {
    const tab = await context.newPage();
    await tab.goto(page);
    await tab.waitForFunction(() => "engine" in globalThis);
    const outcome = await tab.evaluate(([baseUrl, id]) => (globalThis as unknown as { engine: LoadHarness }).engine.load(baseUrl, id), [models, ID] as const);
    if ("error" in outcome) throw new Error(`${outcome.error.code}: ${outcome.error.message} ${outcome.error.details ?? ""}`);
    return outcome.value;
  } finally {
    await context.close();
  }
}

/** @param folder of the model; f16 and f32 weights, as the site's own list of models has them */
export async function measureLoad(folder: string): Promise<Measure> {
  const models = await serveModel(folder);
  const engine = await serveEngine(true, [source("../../../e2e/engine/page.ts"), source("harness.ts")]);
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: chromiumArgs });
  try {
    await loadOnce(browser, engine.origin, models.origin); // the servers' first answers, and the browser's own start
    const rounds: Loaded[] = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await loadOnce(browser, engine.origin, models.origin));
    const ms = rounds.map(({ firstTokenMs }) => firstTokenMs);
    const part = (value: (round: Loaded) => number): number => Math.round(median(rounds.map(value)));
    return {
      name: "base.load_ms", value: Math.round(median(ms)), unit: "ms", low: Math.round(Math.min(...ms)), high: Math.round(Math.max(...ms)), n: ROUNDS,
      note: `Chromium ${browser.version()}, wasm, ${rounds[0]!.threads} threads; the model read after ${part(({ modelMs }) => modelMs)} ms, the device opened and tested after ${part(({ deviceMs }) => deviceMs)}`,
    };
  } finally {
    await browser.close();
    await engine.close();
    models.close();
  }
}
