/**
 * A server on this machine that stands in for the model hub: it speaks TLS, and a
 * browser that is told to finds it under the hub's own names
 * (`--host-resolver-rules`). So the site is the one that everybody gets, with its
 * policy, and nothing in it can be told to ask another hub. It answers as the hub
 * does: lists of files, small files by itself, large ones by sending on to a
 * second host, with the headers that let another site read them.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { selfSigned } from "./certificate";

/** Where the hub sends on to. */
export const STORE = "cas-bridge.xethub.hf.co";
/** A host that the site does not know. */
export const STRANGER = "files.example.com";
const COMMIT = "0123456789abcdef0123456789abcdef01234567";

export interface FakeHub {
  /** For Chromium: under these names it is found. */
  args: string[];
  /** Host and path of all that arrived, with `bytes=…` of the range that was asked for. */
  arrived: string[];
  /** Origins and cookies that were told, each once. */
  told: Set<string>;
  /** What is special about a model: the status of its listing, where its files are, how they are changed on the way. */
  models: Map<string, Partial<{ status: number; host: string; change: (name: string, bytes: Buffer) => Buffer; licence: string }>>;
  /** Answers a request for bytes of a large file itself, where it says so. */
  serve: (name: string, from: number, content: Buffer, response: ServerResponse) => boolean;
  stop: () => Promise<void>;
}

/** @param folder whose files every model of this hub has */
export async function startFakeHub(folder: string): Promise<FakeHub> {
  const server = createServer(selfSigned("fake hub"));
  const arrived: string[] = [];
  const told = new Set<string>();
  const models: FakeHub["models"] = new Map();
  const hub: FakeHub = { args: [], arrived, told, models, serve: () => false, stop: () => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  }) };
  const contentOf = (repo: string, name: string): Buffer => {
    const bytes = readFileSync(join(folder, name));
    return models.get(repo)?.change?.(name, bytes) ?? bytes;
  };
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const host = (request.headers.host ?? "").replace(/:\d+$/, "");
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const range = request.headers.range ?? "";
    arrived.push(`${host}${path}${query.includes("secret") ? `?${query}` : ""}${range === "" ? "" : ` ${range}`}`);
    for (const name of ["cookie", "authorization", "referer"]) if (request.headers[name] !== undefined) told.add(`${name}: ${String(request.headers[name])}`);
    request.resume();
    const cors = { "access-control-allow-origin": request.headers.origin ?? "*", "access-control-allow-headers": "*", "access-control-expose-headers": "ETag, Content-Range, Link, Location", "cross-origin-resource-policy": "cross-origin" };
    if (request.method === "OPTIONS") return void response.writeHead(204, cors).end();
    const [, repo = "", name = ""] = /^\/(?:api\/models\/|large\/)?([^/]+\/[^/]+)\/(?:revision|resolve)\/[^/]+\/?(.*)$/.exec(path) ?? [];
    const model = models.get(repo) ?? {};
    if (host === "huggingface.co" && path.startsWith("/api/models/")) {
      if (!models.has(repo)) return void response.writeHead(401, cors).end("{}"); // as the hub does for what it will not tell of
      if (model.status !== undefined) return void response.writeHead(model.status, cors).end("{}");
      return void response.writeHead(200, { ...cors, "content-type": "application/json" }).end(JSON.stringify(listing(folder, repo, model.licence ?? "apache-2.0", model.change === undefined ? contentOf : (_, file) => readFileSync(join(folder, file)))));
    }
    if (!models.has(repo) || !readdirSync(folder).includes(name)) return void response.writeHead(404, cors).end();
    if (host === "huggingface.co" && isLarge(name)) return void response.writeHead(302, { ...cors, location: `https://${model.host ?? STORE}/large${path}?Signature=abc` }).end();
    const content = contentOf(repo, name);
    const from = Number(/^bytes=(\d+)-/.exec(range)?.[1] ?? 0);
    const head = { ...cors, "content-length": content.length - from, etag: `"${createHash("sha256").update(content).digest("hex")}"`, ...(from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {}) };
    response.writeHead(from > 0 ? 206 : 200, head);
    if (isLarge(name) && hub.serve(name, from, content, response)) return;
    response.end(content.subarray(from));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  hub.args = ["--no-proxy-server", `--host-resolver-rules=${["huggingface.co", "*.hf.co", STRANGER].map((name) => `MAP ${name} ${at}`).join(", ")}`];
  return hub;
}

const isLarge = (name: string): boolean => name.endsWith(".safetensors") || name === "tokenizer.json";

function listing(folder: string, repo: string, license: string, contentOf: (repo: string, name: string) => Buffer): object {
  const siblings = readdirSync(folder).map((rfilename) => {
    const bytes = contentOf(repo, rfilename);
    const blobId = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
    return { rfilename, size: bytes.length, blobId, ...(isLarge(rfilename) ? { lfs: { sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length, pointerSize: 134 } } : {}) };
  });
  return { id: repo, sha: COMMIT, cardData: { license }, siblings };
}
