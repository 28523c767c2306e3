import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fault } from "../testing/fault";
import { COMMIT, contents, git, HubServer, listing, REPO, weights } from "../testing/hub";
import { listHub, neededFiles, parseRepoName, type HubAccess } from "./hub";

let hub: HubServer;
beforeEach(async () => {
  hub = await HubServer.open();
});
afterEach(() => hub.close());

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
    const found = await listHub(REPO, hub.access());
    expect(found).toMatchObject({ repo: REPO, commit: COMMIT, licence: "apache-2.0" });
    expect(found.files.map(({ name }) => name)).toEqual(Object.keys(contents));
    expect(found.files.find(({ name }) => name === "model.safetensors")).toEqual(weights);
    expect(found.files[0]!.hash).toEqual({ kind: "git", hex: git(contents["config.json"]!) });
    expect(neededFiles(found).map(({ name }) => name)).toEqual(["config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors"]);
    expect(hub.requests[0]!.headers.cookie ?? hub.requests[0]!.headers.referer).toBeUndefined();
  });

  it("asks nothing where connections are not allowed", async () => {
    await expect(listHub(REPO, { ...hub.access(), allow: false } as unknown as HubAccess)).rejects.toMatchObject({ code: "model/hub-off" });
    await expect(listHub("no name", hub.access())).rejects.toMatchObject({ code: "model/repo-name" });
    await expect(listHub(REPO, hub.access(), "../../x")).rejects.toMatchObject({ code: "model/repo-name" });
    expect(hub.requests).toEqual([]);
  });

  it.each<[number, string, RegExp]>([[401, "model/hub-denied", /sign in/], [403, "model/hub-denied", /sign in/], [404, "model/hub-missing", /no model/], [429, "model/hub-busy", /too many/], [500, "model/hub-fault", /500/], [503, "model/hub-fault", /503/]])(
    "says in words what %d means", async (status, code, message) => {
      hub.misbehave = (_, response) => Boolean(response.writeHead(status, { "retry-after": "120" }).end("no"));
      const error: unknown = await listHub(REPO, hub.access()).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
      if (status === 429) expect(error).toMatchObject({ next: expect.stringContaining("2 minutes") as string });
    });

  it("says that there is no connection, and refuses answers that are none", async () => {
    await expect(listHub(REPO, hub.access({ endpoint: "http://127.0.0.1:1" }))).rejects.toMatchObject({ code: "model/offline" });
    for (const body of ["", "[]", "{}", "\xff", JSON.stringify({ sha: "main", siblings: [] }), JSON.stringify({ sha: COMMIT, siblings: [{ rfilename: "a", size: -1 }] })]) {
      hub.misbehave = (_, response) => Boolean(response.end(Buffer.from(body, "latin1")));
      await expect(listHub(REPO, hub.access())).rejects.toMatchObject({ code: "model/hub-answer" });
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
