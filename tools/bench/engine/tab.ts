/** An isolated page of a real Chromium with the engine in a worker; each has a browser of its own, so that no memory is inherited. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import type { Outcome } from "../../../e2e/engine/harness";
import { serveEngine } from "../../../e2e/engine/server";
import { chromiumArgs, ensureChromium } from "../../run/chromium.mjs";
import type { Harness } from "./harness";

type Value<T> = T extends Promise<Outcome<infer V>> ? V : never;

export interface Tab {
  /** Of the browser. */
  version: string;
  threads: number;
  /** Without a limit of time: large models take theirs. */
  call<K extends keyof Harness>(name: K, ...args: Parameters<Harness[K]>): Promise<Value<ReturnType<Harness[K]>>>;
  /** The largest resident memory, in bytes, of the process that runs the worker, so far. Linux only. */
  peakRssBytes(): Promise<number>;
  close(): Promise<void>;
}

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export async function openTab(): Promise<Tab> {
  const server = await serveEngine(true, [source("../../../e2e/engine/page.ts"), source("harness.ts")]);
  const browser = await chromium.launch({ executablePath: ensureChromium(), args: chromiumArgs });
  const close = async (): Promise<void> => {
    await browser.close();
    await server.close();
  };
  try {
    const page = await browser.newPage();
    await page.goto(server.origin);
    await page.waitForFunction(() => "engine" in globalThis);
    const call: Tab["call"] = async (name, ...args) => {
      const outcome = (await page.evaluate(async ([method, values]) => {
        const { engine } = globalThis as unknown as { engine: Record<string, (...values: unknown[]) => Promise<unknown>> };
        return engine[method]!(...values);
      }, [name, args] as const)) as Outcome<never>;
      if ("error" in outcome) throw new Error(`${outcome.error.code}: ${outcome.error.message} ${outcome.error.details ?? ""}`);
      return outcome.value;
    };
    const peakRssBytes = async (): Promise<number> => {
      const session = await browser.newBrowserCDPSession();
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      const peaks = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => {
        const found = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1];
        return 1024 * Number(found);
      });
      return Math.max(...peaks); // an empty page beside it is far smaller
    };
    return { peakRssBytes, version: browser.version(), threads: await call("threads"), call, close };
  } catch (error) {
    await close();
    throw error;
  }
}
