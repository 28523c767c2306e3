/**
 * A server on this machine that answers as the hub does: one model's listing and
 * files, ranges of them, hashes. A test may change its single answers. For tests.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Random } from "../../core/random";
import type { HubListing } from "../model/hub";
import type { DownloadOptions } from "../model/hub-download";

const random = new Random("hub");
const noise = (bytes: number) => Uint8Array.from({ length: bytes }, () => random.int(256));
export const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
export const git = (bytes: Uint8Array) => createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
export const COMMIT = "c0".repeat(20);
export const REPO = "maker/little-model";

export const contents: Record<string, Uint8Array> = {
  "config.json": new TextEncoder().encode('{"model_type":"qwen2"}'),
  "tokenizer_config.json": noise(100),
  "tokenizer.json": noise(5000),
  "model.safetensors": noise(300_000),
  "README.md": noise(10),
};

export const weights = { name: "model.safetensors", bytes: 300_000, hash: { kind: "sha256", hex: sha(contents["model.safetensors"]!) } } as const;
export const listing: HubListing = { repo: REPO, commit: COMMIT, licence: null, files: [weights] };

function siblings(): object[] {
  return [
    ...Object.entries(contents).map(([rfilename, bytes]) => ({
      rfilename, size: bytes.length, blobId: git(bytes), ...(bytes.length > 4000 ? { blobId: "0".repeat(40), lfs: { sha256: sha(bytes), size: bytes.length, pointerSize: 134 } } : {}),
    })),
    { rfilename: "onnx/model.onnx", size: 3, blobId: "1".repeat(40) },
    { rfilename: "../evil.json", size: 3, blobId: "1".repeat(40) },
  ];
}

/** Sends bytes [from, to) and then, where that is not the end, breaks the connection. */
export function send(response: ServerResponse, content: Uint8Array, from: number, to = content.length, etag = '"one"'): void {
  response.writeHead(from > 0 ? 206 : 200, { "content-length": content.length - from, etag, ...(from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {}) });
  response.write(content.subarray(from, to), () => (to < content.length ? setTimeout(() => response.destroy(), 20) : response.end()));
}

/** Where the range that is asked for begins. */
export const start = (request: IncomingMessage) => Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);

export class HubServer {
  /** All that were asked, until a test empties them. */
  requests: { url: string; range: string | undefined; headers: IncomingMessage["headers"] }[] = [];
  /** Says whether it has answered itself. */
  misbehave: (request: IncomingMessage, response: ServerResponse, content: Uint8Array | undefined) => boolean = () => false;

  private constructor(private readonly server: Server) {
    server.on("request", (request, response) => this.answer(request, response));
  }

  static async open(): Promise<HubServer> {
    const hub = new HubServer(createServer());
    await new Promise<void>((resolve) => hub.server.listen(0, "127.0.0.1", resolve));
    return hub;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  /** How a test reaches it: allowed, and without waiting between tries. */
  access(more: Partial<DownloadOptions> = {}): DownloadOptions {
    const endpoint = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return { allow: true, fetchFn: (url, init) => fetch(url, init), endpoint, retryDelaysMs: [1, 1, 1], ...more };
  }

  /** Ranges of the weights that were asked for, in order. */
  ranges(): (string | undefined)[] {
    return this.requests.filter(({ url }) => url.endsWith("/model.safetensors")).map(({ range }) => range);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url!;
    this.requests.push({ url, range: request.headers.range, headers: request.headers });
    const name = url.startsWith(`/${REPO}/resolve/${COMMIT}/`) ? url.slice(url.lastIndexOf("/") + 1) : "";
    const content = contents[name];
    if (this.misbehave(request, response, content)) return;
    if (url === `/api/models/${REPO}/revision/main?blobs=true`) response.end(JSON.stringify({ id: REPO, sha: COMMIT, cardData: { license: "apache-2.0" }, siblings: siblings() }));
    else if (content) send(response, content, start(request));
    else response.writeHead(404).end();
  }
}
