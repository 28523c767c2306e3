import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Random } from "../../core/random";
import { fault } from "../testing/fault";
import { memoryDirectory } from "../testing/opfs";
import { opfsModel } from "./files";
import { listHub, neededFiles, parseRepoName, type HubAccess, type HubListing } from "./hub";
import { downloadFile, downloadFiles, type DownloadOptions } from "./hub-download";
import { opfsSink } from "./hub-sink";

const random = new Random("hub");
const noise = (bytes: number) => Uint8Array.from({ length: bytes }, () => random.int(256));
const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const git = (bytes: Uint8Array) => createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
const COMMIT = "c0".repeat(20);
const REPO = "maker/little-model";

const contents: Record<string, Uint8Array> = {
  "config.json": new TextEncoder().encode('{"model_type":"qwen2"}'),
  "tokenizer_config.json": noise(100),
  "tokenizer.json": noise(5000),
  "model.safetensors": noise(300_000),
  "README.md": noise(10),
};

/** A server like the hub, whose single answers a test may change. */
let server: Server;
let endpoint: string;
let requests: { url: string; range: string | undefined; headers: IncomingMessage["headers"] }[];
let misbehave: (request: IncomingMessage, response: ServerResponse, content: Uint8Array | undefined) => boolean;

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
function send(response: ServerResponse, content: Uint8Array, from: number, to = content.length, etag = '"one"'): void {
  response.writeHead(from > 0 ? 206 : 200, { "content-length": content.length - from, etag, ...(from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {}) });
  response.write(content.subarray(from, to), () => (to < content.length ? setTimeout(() => response.destroy(), 20) : response.end()));
}

const start = (request: IncomingMessage) => Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);

beforeEach(async () => {
  requests = [];
  misbehave = () => false;
  server = createServer((request, response) => {
    const url = request.url!;
    requests.push({ url, range: request.headers.range, headers: request.headers });
    const name = url.startsWith(`/${REPO}/resolve/${COMMIT}/`) ? url.slice(url.lastIndexOf("/") + 1) : "";
    const content = contents[name];
    if (misbehave(request, response, content)) return;
    if (url === `/api/models/${REPO}/revision/main?blobs=true`) response.end(JSON.stringify({ id: REPO, sha: COMMIT, cardData: { license: "apache-2.0" }, siblings: siblings() }));
    else if (content) send(response, content, start(request));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));

const access = (more: Partial<DownloadOptions> = {}): DownloadOptions => ({ allow: true, fetchFn: (url, init) => fetch(url, init), endpoint, retryDelaysMs: [1, 1, 1], ...more });
const weights = { name: "model.safetensors", bytes: 300_000, hash: { kind: "sha256", hex: sha(contents["model.safetensors"]!) } } as const;
const listing: HubListing = { repo: REPO, commit: COMMIT, licence: null, files: [weights] };
const isWeights = (request: IncomingMessage) => request.url!.endsWith("/model.safetensors");
const ranges = () => requests.filter(({ url }) => url.endsWith("/model.safetensors")).map(({ range }) => range);

/** Downloads the weights once into a directory. */
async function download(directory = memoryDirectory(), more: Partial<DownloadOptions> = {}, file: HubListing["files"][number] = weights) {
  const sink = await opfsSink(directory.handle, file);
  if (!sink) throw new Error("is there already");
  try {
    await downloadFile(listing, file, sink, access(more));
  } finally {
    await sink.close();
  }
  return directory;
}
const whole = (directory: ReturnType<typeof memoryDirectory>) => {
  expect([...directory.files.keys()]).toEqual(["model.safetensors"]);
  expect(sha(directory.files.get("model.safetensors")!.bytes)).toBe(weights.hash.hex);
};

describe("parseRepoName", () => {
  it("takes owner/name, and the address of its page", () => {
    for (const text of ["Qwen/Qwen2.5-0.5B", " Qwen/Qwen2.5-0.5B ", "https://huggingface.co/Qwen/Qwen2.5-0.5B", "https://huggingface.co/Qwen/Qwen2.5-0.5B/tree/main"]) expect(parseRepoName(text)).toBe("Qwen/Qwen2.5-0.5B");
  });
  it.each(["", "gpt2", "a/b/c", "../x", "a/..", "a/b?x", "a/b#", "a//b", "a/b--c", "https://example.org/a/b", "a/ b", "a/%2e", "-a/b", `a/${"b".repeat(100)}`])("refuses %j", (text) => {
    expect(fault(() => parseRepoName(text)).code).toBe("model/repo-name");
  });
});

describe("listHub", () => {
  it("lists what lies in the repository itself, with hashes and the licence", async () => {
    const found = await listHub(REPO, access());
    expect(found).toMatchObject({ repo: REPO, commit: COMMIT, licence: "apache-2.0" });
    expect(found.files.map(({ name }) => name)).toEqual(Object.keys(contents));
    expect(found.files.find(({ name }) => name === "model.safetensors")).toEqual(weights);
    expect(found.files[0]!.hash).toEqual({ kind: "git", hex: git(contents["config.json"]!) });
    expect(neededFiles(found).map(({ name }) => name)).toEqual(["config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors"]);
    expect(requests[0]!.headers.cookie ?? requests[0]!.headers.referer).toBeUndefined();
  });

  it("asks nothing where connections are not allowed", async () => {
    await expect(listHub(REPO, { ...access(), allow: false } as unknown as HubAccess)).rejects.toMatchObject({ code: "model/hub-off" });
    await expect(listHub("no name", access())).rejects.toMatchObject({ code: "model/repo-name" });
    await expect(listHub(REPO, access(), "../../x")).rejects.toMatchObject({ code: "model/repo-name" });
    expect(requests).toEqual([]);
  });

  it.each<[number, string, RegExp]>([[401, "model/hub-denied", /sign in/], [403, "model/hub-denied", /sign in/], [404, "model/hub-missing", /no model/], [429, "model/hub-busy", /too many/], [500, "model/hub-fault", /500/], [503, "model/hub-fault", /503/]])(
    "says in words what %d means", async (status, code, message) => {
      misbehave = (_, response) => Boolean(response.writeHead(status, { "retry-after": "120" }).end("no"));
      const error: unknown = await listHub(REPO, access()).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
      if (status === 429) expect(error).toMatchObject({ next: expect.stringContaining("2 minutes") as string });
    });

  it("says that there is no connection, and refuses answers that are none", async () => {
    await expect(listHub(REPO, access({ endpoint: "http://127.0.0.1:1" }))).rejects.toMatchObject({ code: "model/offline" });
    for (const body of ["", "[]", "{}", "\xff", JSON.stringify({ sha: "main", siblings: [] }), JSON.stringify({ sha: COMMIT, siblings: [{ rfilename: "a", size: -1 }] })]) {
      misbehave = (_, response) => Boolean(response.end(Buffer.from(body, "latin1")));
      await expect(listHub(REPO, access())).rejects.toMatchObject({ code: "model/hub-answer" });
    }
  });

  it("knows which files are needed, and what it means where they are missing", () => {
    const file = (name: string) => ({ name, bytes: 1, hash: weights.hash });
    const of = (...names: string[]) => ({ ...listing, files: names.map(file) });
    const small = ["config.json", "tokenizer_config.json", "tokenizer.json"];
    expect(neededFiles(of(...small, "model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "pytorch_model.bin")).length).toBe(6);
    expect(fault(() => neededFiles(of(...small.slice(1), "model.safetensors"))).message).toContain("config.json");
    expect(fault(() => neededFiles(of(...small, "pytorch_model.bin"))).code).toBe("model/pickle");
  });
});

describe("downloadFile", () => {
  it("writes the file and checks it", async () => {
    const seen: number[] = [];
    whole(await download(undefined, { onProgress: (done) => seen.push(done) }));
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(300_000);
    expect(ranges()).toEqual([undefined]);
  });

  it("goes on where the connection broke, as often as it gets on", async () => {
    misbehave = (request, response, content) => {
      const from = start(request);
      if (from + 50_000 >= content!.length) return false;
      send(response, content!, from, from + 50_000);
      return true;
    };
    whole(await download());
    expect(ranges()).toHaveLength(6);
    expect(ranges()[3]).toBe("bytes=150000-");
  });

  it("goes on after the tab was closed", async () => {
    const directory = memoryDirectory();
    misbehave = (request, response, content) => (send(response, content!, start(request), 120_000), true);
    await expect(download(directory, { retryDelaysMs: [] })).rejects.toMatchObject({ code: "model/offline" });
    expect(directory.files.get("model.safetensors")!.bytes.length).toBe(120_000);
    expect((await opfsModel(directory.handle)).names()).toEqual([]); // it is not whole
    misbehave = () => false;
    whole(await download(directory));
    expect(ranges().at(-1)).toBe("bytes=120000-");
    expect((await opfsModel(directory.handle)).names()).toEqual(["model.safetensors"]);
    expect(await opfsSink(directory.handle, weights)).toBeNull();
  });

  /** A part of 120,000 bytes, of the content with ETag "one". */
  async function part(): Promise<ReturnType<typeof memoryDirectory>> {
    const directory = memoryDirectory();
    misbehave = (request, response, content) => (send(response, content!, start(request), 120_000), true);
    await download(directory, { retryDelaysMs: [] }).catch(() => undefined);
    misbehave = () => false;
    requests = [];
    return directory;
  }

  it("takes the whole file from a server that gives nothing else", async () => {
    const directory = await part();
    misbehave = (_, response, content) => (send(response, content!, 0), true);
    whole(await download(directory));
    expect(requests).toHaveLength(1);
  });

  it("begins anew where the content has changed on the server, or is to be another", async () => {
    const directory = await part();
    misbehave = (request, response, content) => (send(response, content!, start(request), undefined, '"two"'), true);
    whole(await download(directory));
    expect(ranges()).toEqual(["bytes=120000-", undefined]);
    const other = await part();
    await expect(download(other, {}, { ...weights, hash: { kind: "sha256", hex: "a".repeat(64) } })).rejects.toMatchObject({ code: "model/corrupt" });
    expect(ranges()).toEqual([undefined]);
    expect(other.files.get("model.safetensors")!.bytes.length).toBe(0); // a wrong file is not kept
  });

  it("begins anew where the server goes on elsewhere, or says that there is no more", async () => {
    for (const answer of [{ status: 206, range: "bytes 5-299999/300000" }, { status: 206, range: "bytes 120000-299999/300001" }, { status: 416, range: "bytes */9" }]) {
      const directory = await part();
      misbehave = (request, response, content) => {
        if (start(request) === 0) return false;
        response.writeHead(answer.status, { "content-range": answer.range, etag: '"one"' }).end(content!.subarray(120_000));
        return true;
      };
      whole(await download(directory));
      expect(ranges()).toEqual(["bytes=120000-", undefined]);
    }
  });

  it("refuses wrong bytes, too many bytes and too few", async () => {
    const wrong = contents["model.safetensors"]!.slice();
    wrong[200_000]! ^= 1;
    for (const bytes of [wrong, Buffer.concat([wrong, wrong])]) {
      misbehave = (_, response) => (response.writeHead(200, { etag: '"one"' }).end(bytes), true);
      await expect(download()).rejects.toMatchObject({ code: "model/corrupt", message: expect.stringContaining("model.safetensors") as string });
    }
    misbehave = (request, response) => (isWeights(request) && response.writeHead(200, { etag: '"one"' }).end(wrong.subarray(0, 1000)), true);
    await expect(download()).rejects.toMatchObject({ code: "model/offline" });
    expect(requests.length).toBeLessThan(12);
  });

  it("leaves a server that starts over again and again", async () => {
    let n = 0;
    misbehave = (request, response, content) => (send(response, content!, start(request), start(request) + 1000, `"${n++}"`), true);
    await expect(download()).rejects.toMatchObject({ code: "model/offline" });
    expect(n).toBeLessThan(12);
  });

  it("tries again after a fault of the server, and gives up in words", async () => {
    let faults = 2;
    misbehave = (_, response) => faults-- > 0 && Boolean(response.writeHead(503).end());
    whole(await download());
    faults = 100;
    await expect(download()).rejects.toMatchObject({ code: "model/hub-fault" });
    misbehave = (_, response) => Boolean(response.writeHead(429).end());
    requests = [];
    await expect(download()).rejects.toMatchObject({ code: "model/hub-busy" });
    expect(requests).toHaveLength(1);
  });

  it("does not wait for ever where nothing more arrives", async () => {
    let stalls = 1;
    misbehave = (_, response, content) => {
      if (stalls-- <= 0) return false;
      response.writeHead(200, { etag: '"one"', "content-length": content!.length });
      response.write(content!.subarray(0, 1000));
      return true; // and no more
    };
    whole(await download(undefined, { idleTimeoutMs: 200 }));
    expect(ranges()).toEqual([undefined, "bytes=1000-"]);
  });

  it("stops when told to, keeping what it has", async () => {
    const directory = memoryDirectory();
    const controller = new AbortController();
    const reason = new Error("enough");
    await expect(download(directory, { signal: controller.signal, onProgress: (done) => { if (done > 0) controller.abort(reason); } })).rejects.toBe(reason);
    const kept = directory.files.get("model.safetensors")!.bytes.length;
    expect(kept).toBeGreaterThan(0);
    whole(await download(directory));
    expect(ranges().at(-1)).toBe(kept < 300_000 ? `bytes=${kept}-` : undefined);
    // and while it waits before another try
    misbehave = (_, response) => Boolean(response.writeHead(503).end());
    const waiting = new AbortController();
    setTimeout(() => waiting.abort(reason), 50);
    await expect(download(undefined, { signal: waiting.signal, retryDelaysMs: [600_000] })).rejects.toBe(reason);
  });

  it("says so where the disk is full, and keeps what it has", async () => {
    const directory = memoryDirectory(150_000);
    await expect(download(directory)).rejects.toMatchObject({ code: "store/full" });
    expect(directory.files.get("model.safetensors")!.bytes.length).toBeGreaterThan(10_000);
  });

  it("is not done twice at once", async () => {
    const directory = memoryDirectory();
    const sink = await opfsSink(directory.handle, weights);
    await expect(opfsSink(directory.handle, weights)).rejects.toMatchObject({ code: "store/busy" });
    await sink!.close();
    expect((await opfsSink(directory.handle, weights))!.size).toBe(0);
    expect((await opfsModel(directory.handle)).names()).toEqual([]);
  });

  it("takes a note that cannot be read as none", async () => {
    const directory = await part();
    const note = directory.files.get("model.safetensors.part")!;
    note.bytes = new TextEncoder().encode("{");
    whole(await download(directory));
    expect(ranges()).toEqual([undefined]);
  });
});

describe("downloadFiles", () => {
  it("fetches what is missing, counting all", async () => {
    const directory = memoryDirectory();
    const files = neededFiles(await listHub(REPO, access()));
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const seen: [number, number][] = [];
    const open = (name: string) => opfsSink(directory.handle, files.find((file) => file.name === name)!);
    await downloadFiles({ ...listing, files }, files, open, access({ onProgress: (...progress) => seen.push(progress) }));
    for (const { name } of files) expect(sha(directory.files.get(name)!.bytes)).toBe(sha(contents[name]!));
    expect(seen.at(-1)).toEqual([total, total]);
    expect(seen.every(([done], i) => done >= (seen[i - 1]?.[0] ?? 0))).toBe(true);
    requests = [];
    await downloadFiles({ ...listing, files }, files, open, access());
    expect(requests).toEqual([]);
  });
});
