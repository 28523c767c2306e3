/**
 * A local server for the engine alone, apart from the site: one empty, isolated
 * page, the harness and its worker bundled from the sources at hand, and the
 * runtime's files as they are shipped. Answers nothing else.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const runtime = fileURLToPath(new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url));
const TYPES: Record<string, string> = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const PAGE = '<!doctype html><meta charset="utf-8"><title>engine</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';

/** Leaves the runtime out of the bundle: it finds its wasm files and threads beside itself. */
const runtimeAsShipped: Plugin = {
  name: "runtime-as-shipped",
  setup(bundler) {
    bundler.onResolve({ filter: /^onnxruntime-web\/(wasm|webgpu)$/ }, ({ path }) => ({ path: `/ort/ort.${basename(path)}.bundle.min.mjs`, external: true }));
  },
};

export interface EngineServer {
  origin: string;
  close(): Promise<void>;
}

/**
 * @param isolated whether the page gets the headers that allow threads
 * @param entryPoints the page's script, page.ts, and that of its worker, harness.ts
 */
export async function serveEngine(isolated = true, entryPoints = [join(here, "page.ts"), join(here, "harness.ts")]): Promise<EngineServer> {
  const { outputFiles } = await build({
    entryPoints,
    bundle: true, write: false, outdir: here, format: "esm", target: "es2022", sourcemap: "inline", logLevel: "error",
    plugins: [runtimeAsShipped],
  });
  const bundles = new Map(outputFiles.map(({ path, contents }) => [`/${basename(path)}`, contents]));
  const find = (path: string): Promise<Uint8Array> => {
    const bundle = bundles.get(path);
    if (bundle) return Promise.resolve(bundle);
    if (path.startsWith("/ort/")) return readFile(join(runtime, basename(path)));
    return path === "/" ? Promise.resolve(Buffer.from(PAGE)) : Promise.reject(new Error("No such file."));
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const headers = {
      "Content-Type": TYPES[extname(path)] ?? "text/html",
      ...(isolated ? { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" } : {}),
    };
    find(path).then((body) => response.writeHead(200, headers).end(body), () => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
