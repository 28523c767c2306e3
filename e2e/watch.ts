/**
 * Listens to everything that a test's browser context does and must not do:
 * errors in the console of a page or a worker, refusals by the security policy,
 * requests that carry a body or leave the site.
 */
import { expect, type BrowserContext, type Worker } from "@playwright/test";

declare global {
  interface Window {
    reportViolation?: (text: string) => void;
  }
}

export interface Watch {
  /** What was seen, in words; empty when all is well. */
  faults: readonly string[];
  /** Addresses asked for, so that a test can make sure that it was listening. */
  requests: readonly string[];
  /** From now on the browser may complain that there is no network. */
  goOffline: () => Promise<void>;
  goOnline: () => Promise<void>;
  expectClean: () => void;
}

/** How Chromium words a request that failed for want of a network. */
const NO_NETWORK = /net::ERR_INTERNET_DISCONNECTED/;

/** Chromium (156) does not know this directive yet and says so on every page; browsers that do are held to it. */
export const UNKNOWN_DIRECTIVE = "Unrecognized Content-Security-Policy directive 'webrtc'.";

/** Whether a worker is one that the app starts, and not a thread of the runtime. */
export const isOurs = (worker: Worker): boolean => worker.url().includes("/turbopack-worker");

/** Call it before the first page is opened. @param home the site's address */
export async function watch(context: BrowserContext, home: string): Promise<Watch> {
  const faults: string[] = [];
  const requests: string[] = [];
  let offline = false;
  const origin = new URL(home).origin;
  await context.exposeBinding("reportViolation", (_source, text: string) => void faults.push(`policy: ${text}`));
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => window.reportViolation?.(`${event.effectiveDirective} ${event.blockedURI}`));
  });
  // A worker has its own policy and its own events; what it says reaches the context's console.
  context.on("page", (page) => {
    page.on("worker", (worker) => {
      // The threads of the runtime are deaf while they wait for work.
      if (!isOurs(worker)) return;
      worker.evaluate(() => {
        addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.effectiveDirective} ${event.blockedURI}`));
      }).catch(() => undefined); // it has ended again
    });
  });
  context.on("console", (message) => {
    if (message.type() !== "error" || message.text() === UNKNOWN_DIRECTIVE || (offline && NO_NETWORK.test(message.text()))) return;
    faults.push(`console: ${message.text()}`);
  });
  context.on("weberror", (error) => faults.push(`uncaught: ${error.error().message}`));
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol === "blob:" || url.protocol === "data:") return;
    requests.push(request.url());
    if (url.origin !== origin) faults.push(`request to another origin: ${request.url()}`);
    if (!["GET", "HEAD"].includes(request.method()) || request.postDataBuffer() !== null) faults.push(`request with a body: ${request.method()} ${request.url()}`);
  });
  return {
    faults,
    requests,
    goOffline: () => {
      offline = true;
      return context.setOffline(true);
    },
    goOnline: () => {
      offline = false;
      return context.setOffline(false);
    },
    expectClean: () => expect(faults).toEqual([]),
  };
}
