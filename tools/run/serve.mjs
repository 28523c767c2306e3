/**
 * Serves the production build: Next.js inside a plain HTTP server. Why not
 * `next start`: it leaves answers outside its routes (a malformed address, say)
 * without our headers, it does not look for a free port, and the leak test's
 * positive control needs the policy, and only the policy, switched off when the
 * server starts. Both take their headers from routes-manifest.json (see
 * inline-scripts.mjs).
 *
 * `node tools/run/serve.mjs [--port N]` serves an existing build on exactly that port.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { buildDirectory } from "./build.mjs";
import { root } from "./deps.mjs";

const POLICY = "Content-Security-Policy";
/** The one address whose answer may have another policy (lib/core/hub-hosts.ts). */
const HUB_PAGE = "/hub";
/** How many ports after the first are tried. */
const MAX_PORTS = 100;

/** @typedef {import("./inline-scripts.mjs").RoutesManifest} RoutesManifest */

/** @returns {import("./inline-scripts.mjs").Header[]} the headers that belong on every answer */
function headersOfEveryAnswer() {
  const path = join(buildDirectory, "routes-manifest.json");
  const manifest = existsSync(path) ? /** @type {RoutesManifest} */ (JSON.parse(readFileSync(path, "utf8"))) : { headers: [] };
  const headers = manifest.headers.find(({ source }) => source === "/:path*")?.headers;
  if (headers === undefined) throw new Error("There is no build to serve. Run `npm run build` first.");
  return headers;
}

/**
 * @param {import("node:http").Server} server
 * @param {number} port
 * @returns {Promise<boolean>} false where the port is taken
 */
const listen = (server, port) =>
  new Promise((resolve, reject) => {
    const failed = (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    };
    server.once("error", failed);
    server.listen(port, process.env.HOST, () => {
      server.off("error", failed);
      resolve(true);
    });
  });

/**
 * @param {{ port: number, exactly?: boolean }} options `exactly`: fail rather than take the next free port
 * @returns {Promise<string>} the address
 */
export async function serve({ port, exactly = false }) {
  const headers = headersOfEveryAnswer();
  // Read once, from the server's own environment: no request can switch it.
  const withoutPolicy = process.env.DUCTUS_TEST_NO_CSP === "1";
  if (withoutPolicy) console.warn("DUCTUS_TEST_NO_CSP=1: serving WITHOUT a Content-Security-Policy, for a test.");
  Object.assign(process.env, { NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" });

  const { default: next } = await import("next");
  const app = next({ dev: false, dir: root, port });
  await app.prepare();
  const handle = app.getRequestHandler();

  const policy = headers.find(({ key }) => key === POLICY)?.value ?? "";
  const server = createServer((request, response) => {
    for (const { key, value } of headers) response.setHeader(key, value);
    const mayAskHub = request.url?.split("?", 1)[0] === HUB_PAGE; // Next.js tidies the address while it works
    const writeHead = response.writeHead.bind(response);
    // Next.js sets the policy too, so it is looked at as the headers leave.
    response.writeHead = /** @type {typeof response.writeHead} */ ((/** @type {Parameters<typeof writeHead>} */ ...args) => {
      if (withoutPolicy) response.removeHeader(POLICY);
      // However Next.js reads an address: none but this very one is given more than the others.
      else if (!mayAskHub) response.setHeader(POLICY, policy);
      return writeHead(...args);
    });
    void handle(request, response);
  });
  let chosen = port;
  while (!(await listen(server, chosen))) {
    chosen += 1;
    if (exactly || chosen > port + MAX_PORTS) throw new Error(`Port ${port} is taken. Choose another one with PORT.`);
  }
  return `http://localhost:${chosen}`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { port: { type: "string" } } });
  console.log(`Ductus is at ${await serve({ port: Number(values.port ?? process.env.PORT ?? 3000), exactly: true })}`);
}
