import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contents, HubServer, listing, REPO, send, sha, start, weights } from "../testing/hub";
import { memoryDirectory } from "../testing/opfs";
import { opfsModel } from "./files";
import { listHub, neededFiles, type HubListing } from "./hub";
import { downloadFile, downloadFiles, downloadSmall, type DownloadOptions } from "./hub-download";
import { opfsSink } from "./hub-sink";

let hub: HubServer;
beforeEach(async () => {
  hub = await HubServer.open();
});
afterEach(() => hub.close());

/** Downloads the weights once into a directory. */
async function download(directory = memoryDirectory(), more: Partial<DownloadOptions> = {}, file: HubListing["files"][number] = weights) {
  const sink = await opfsSink(directory.handle, file);
  if (!sink) throw new Error("is there already");
  try {
    await downloadFile(listing, file, sink, hub.access(more));
  } finally {
    await sink.close();
  }
  return directory;
}
const whole = (directory: ReturnType<typeof memoryDirectory>) => {
  expect([...directory.files.keys()]).toEqual(["model.safetensors"]);
  expect(sha(directory.files.get("model.safetensors")!.bytes)).toBe(weights.hash.hex);
};

describe("downloadSmall", () => {
  it("gives the content, over a cut, and refuses another", async () => {
    const content = contents["tokenizer.json"]!;
    const file = { name: "tokenizer.json", bytes: content.length, hash: { kind: "sha256", hex: sha(content) } } as const;
    let cut = true;
    hub.misbehave = (request, response) => cut && (cut = false, send(response, content, start(request), 2000), true);
    expect(sha(await downloadSmall(listing, file, hub.access()))).toBe(file.hash.hex);
    await expect(downloadSmall(listing, { ...file, hash: { kind: "sha256", hex: "b".repeat(64) } }, hub.access())).rejects.toMatchObject({ code: "model/corrupt" });
  });
});

describe("downloadFile", () => {
  it("writes the file and checks it", async () => {
    const seen: number[] = [];
    whole(await download(undefined, { onProgress: (done) => seen.push(done) }));
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(300_000);
    expect(hub.ranges()).toEqual([undefined]);
  });

  it("goes on where the connection broke, as often as it gets on", async () => {
    hub.misbehave = (request, response, content) => {
      const from = start(request);
      if (from + 50_000 >= content!.length) return false;
      send(response, content!, from, from + 50_000);
      return true;
    };
    whole(await download());
    expect(hub.ranges()).toHaveLength(6);
    expect(hub.ranges()[3]).toBe("bytes=150000-");
  });

  it("goes on after the tab was closed", async () => {
    const directory = memoryDirectory();
    hub.misbehave = (request, response, content) => (send(response, content!, start(request), 120_000), true);
    await expect(download(directory, { retryDelaysMs: [] })).rejects.toMatchObject({ code: "model/offline" });
    expect(directory.files.get("model.safetensors")!.bytes.length).toBe(120_000);
    expect((await opfsModel(directory.handle)).names()).toEqual([]); // it is not whole
    hub.misbehave = () => false;
    whole(await download(directory));
    expect(hub.ranges().at(-1)).toBe("bytes=120000-");
    expect((await opfsModel(directory.handle)).names()).toEqual(["model.safetensors"]);
    expect(await opfsSink(directory.handle, weights)).toBeNull();
  });

  /** A part of 120,000 bytes, of the content with ETag "one". */
  async function part(): Promise<ReturnType<typeof memoryDirectory>> {
    const directory = memoryDirectory();
    hub.misbehave = (request, response, content) => (send(response, content!, start(request), 120_000), true);
    await download(directory, { retryDelaysMs: [] }).catch(() => undefined);
    hub.misbehave = () => false;
    hub.requests = [];
    return directory;
  }

  it("takes the whole file from a server that gives nothing else", async () => {
    const directory = await part();
    hub.misbehave = (_, response, content) => (send(response, content!, 0), true);
    whole(await download(directory));
    expect(hub.requests).toHaveLength(1);
  });

  it("begins anew where the content has changed on the server, or is to be another", async () => {
    const directory = await part();
    hub.misbehave = (request, response, content) => (send(response, content!, start(request), undefined, '"two"'), true);
    whole(await download(directory));
    expect(hub.ranges()).toEqual(["bytes=120000-", undefined]);
    const other = await part();
    await expect(download(other, {}, { ...weights, hash: { kind: "sha256", hex: "a".repeat(64) } })).rejects.toMatchObject({ code: "model/corrupt" });
    expect(hub.ranges()).toEqual([undefined]);
    expect(other.files.get("model.safetensors")!.bytes.length).toBe(0); // a wrong file is not kept
  });

  it("begins anew where the server goes on elsewhere, or says that there is no more", async () => {
    for (const answer of [{ status: 206, range: "bytes 5-299999/300000" }, { status: 206, range: "bytes 120000-299999/300001" }, { status: 416, range: "bytes */9" }]) {
      const directory = await part();
      hub.misbehave = (request, response, content) => {
        if (start(request) === 0) return false;
        response.writeHead(answer.status, { "content-range": answer.range, etag: '"one"' }).end(content!.subarray(120_000));
        return true;
      };
      whole(await download(directory));
      expect(hub.ranges()).toEqual(["bytes=120000-", undefined]);
    }
  });

  it("refuses wrong bytes, too many bytes and too few", async () => {
    const wrong = contents["model.safetensors"]!.slice();
    wrong[200_000]! ^= 1;
    for (const bytes of [wrong, Buffer.concat([wrong, wrong])]) {
      hub.misbehave = (_, response) => (response.writeHead(200, { etag: '"one"' }).end(bytes), true);
      await expect(download()).rejects.toMatchObject({ code: "model/corrupt", message: expect.stringContaining("model.safetensors") as string });
    }
    hub.misbehave = (request, response) => (request.url!.endsWith("/model.safetensors") && response.writeHead(200, { etag: '"one"' }).end(wrong.subarray(0, 1000)), true);
    await expect(download()).rejects.toMatchObject({ code: "model/offline" });
    expect(hub.requests.length).toBeLessThan(12);
  });

  it("leaves a server that starts over again and again", async () => {
    let n = 0;
    hub.misbehave = (request, response, content) => (send(response, content!, start(request), start(request) + 1000, `"${n++}"`), true);
    await expect(download()).rejects.toMatchObject({ code: "model/offline" });
    expect(n).toBeLessThan(12);
  });

  it("tries again after a fault of the server, and gives up in words", async () => {
    let faults = 2;
    hub.misbehave = (_, response) => faults-- > 0 && Boolean(response.writeHead(503).end());
    whole(await download());
    faults = 100;
    await expect(download()).rejects.toMatchObject({ code: "model/hub-fault" });
    hub.misbehave = (_, response) => Boolean(response.writeHead(429).end());
    hub.requests = [];
    await expect(download()).rejects.toMatchObject({ code: "model/hub-busy" });
    expect(hub.requests).toHaveLength(1);
  });

  it("does not wait for ever where nothing more arrives", async () => {
    let stalls = 1;
    hub.misbehave = (_, response, content) => {
      if (stalls-- <= 0) return false;
      response.writeHead(200, { etag: '"one"', "content-length": content!.length });
      response.write(content!.subarray(0, 1000));
      return true; // and no more
    };
    whole(await download(undefined, { idleTimeoutMs: 200 }));
    expect(hub.ranges()).toEqual([undefined, "bytes=1000-"]);
  });

  it("stops when told to, keeping what it has", async () => {
    const directory = memoryDirectory();
    const controller = new AbortController();
    const reason = new Error("enough");
    await expect(download(directory, { signal: controller.signal, onProgress: (done) => { if (done > 0) controller.abort(reason); } })).rejects.toBe(reason);
    const kept = directory.files.get("model.safetensors")!.bytes.length;
    expect(kept).toBeGreaterThan(0);
    whole(await download(directory));
    expect(hub.ranges().at(-1)).toBe(kept < 300_000 ? `bytes=${kept}-` : undefined);
    // and while it waits before another try
    hub.misbehave = (_, response) => Boolean(response.writeHead(503).end());
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

  it("takes a whole file for what it is: another commit's, of the same size, is fetched anew", async () => {
    const directory = await download();
    directory.files.get("model.safetensors")!.bytes[200_000]! ^= 1;
    hub.requests = [];
    whole(await download(directory));
    expect(hub.ranges()).toEqual([undefined]);
    expect(await opfsSink(directory.handle, weights)).toBeNull();
  });

  it("takes a note that cannot be read as none", async () => {
    const directory = await part();
    const note = directory.files.get("model.safetensors.part")!;
    note.bytes = new TextEncoder().encode("{");
    whole(await download(directory));
    expect(hub.ranges()).toEqual([undefined]);
  });
});

describe("downloadFiles", () => {
  it("fetches what is missing, counting all", async () => {
    const directory = memoryDirectory();
    const files = neededFiles(await listHub(REPO, hub.access()));
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const seen: [number, number][] = [];
    const open = (name: string) => opfsSink(directory.handle, files.find((file) => file.name === name)!);
    await downloadFiles({ ...listing, files }, files, open, hub.access({ onProgress: (...progress) => seen.push(progress) }));
    for (const { name } of files) expect(sha(directory.files.get(name)!.bytes)).toBe(sha(contents[name]!));
    expect(seen.at(-1)).toEqual([total, total]);
    expect(seen.every(([done], i) => done >= (seen[i - 1]?.[0] ?? 0))).toBe(true);
    hub.requests = [];
    await downloadFiles({ ...listing, files }, files, open, hub.access());
    expect(hub.requests).toEqual([]);
  });
});
