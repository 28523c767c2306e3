import { describe, expect, it } from "vitest";
import type { Noted } from "../_state/requests";
import { requestList, requestText } from "./request-list";

const SITE = "https://here.example";
const OPENED_AT = 1_000_000;
const note = (address: string, more: Partial<Noted> = {}): Noted => ({
  who: "page", address: `${SITE}${address}`, initiator: "fetch", startedAt: OPENED_AT + 10, endedAt: OPENED_AT + 20, transferBytes: 400, bytes: 100, byServiceWorker: false, status: 200, ...more,
});
const passedOn = (address: string, more: Partial<Noted> = {}): Noted => note(address, { who: "ductus-service-worker", initiator: "service worker", ...more });
const list = (...noted: Noted[]) => requestList(noted, SITE, OPENED_AT);
const groupOf = (one: Noted) => list(one).groups[0]?.group;

describe("what a request was for", () => {
  it.each([
    ["/", "navigation", "pages"], ["/train", "navigation", "pages"], [`/train?hand=${"a1".repeat(16)}`, "navigation", "pages"], ["/writing?_rsc=5CB68i4p-_jekjehf", "fetch", "pages"],
    [`/train?hand=${"a1".repeat(16)}&_rsc=x1`, "fetch", "pages"], ["/writing/__next._tree.txt?_rsc=x1", "fetch", "pages"],
    ["/_next/static/chunks/37gsaxms41lws.js", "script", "program"], ["/_next/static/chunks/turbopack-worker-1h.js", "other", "program"], ["/theme.js", "script", "program"],
    ["/_next/static/chunks/4.css", "link", "look"], ["/_next/static/media/a.b2.woff2", "css", "look"], ["/icon.svg?icon.2ab6p.svg", "other", "look"], ["/favicon.ico", "other", "look"],
    ["/_next/static/media/ort-wasm-simd-threaded.1_anl-e4.wasm", "fetch", "runtime"], ["/_next/static/media/ort.wasm.bundle.min.0of.mjs", "other", "runtime"],
    ["/models/manifest.json", "fetch", "model"], ["/models/ductus-base/model.safetensors", "fetch", "model"], [`/models/ductus-base/config.json?sha256=${"a".repeat(64)}`, "fetch", "model"],
    ["/samples/letters.json", "fetch", "samples"], ["/settings", "fetch", "policy"],
  ])("%s by %s: %s", (address, initiator, group) => {
    expect(groupOf(note(address, { initiator }))).toBe(group);
    expect(list(note(address, { initiator })).clean).toBe(true);
  });

  it.each([
    ["/?text=dear+diary", "navigation"], ["/train?hand=dear-diary", "navigation"], ["/writing?_rsc=dear%20diary", "fetch"], ["/collect", "fetch"], ["/samples/letters.json?dear", "fetch"], ["/_next/static/chunks/a.js?dear", "script"],
    [`/${"a".repeat(120)}?_rsc=x`, "fetch"], ["/models/manifest.json?dear", "fetch"], ["/train", "fetch"],
  ])("%s by %s is not one of the site's own files", (address, initiator) => {
    const { groups, clean } = list(note("/", { initiator: "navigation" }), note(address, { initiator }));
    expect(groups[0]?.group).toBe("unknown");
    expect(clean).toBe(false);
  });

  it("what the page for downloads asked of the hub stands by itself; the same from another page, or to another address, does not", () => {
    const hubs = { ...note(""), who: "ductus-hub-page", address: "https://cas-bridge.xethub.hf.co/x?…", transferBytes: 0 };
    expect(list(note("/theme.js", { initiator: "script" }), hubs)).toMatchObject({ clean: true, hub: 1, groups: [{ group: "hub", rows: [{ who: "downloads", way: "network" }] }, {}] });
    for (const other of [{ who: "page" }, { address: "https://there.example/x" }]) expect(list({ ...hubs, ...other })).toMatchObject({ clean: false, hub: 0, groups: [{ group: "elsewhere" }] });
  });

  it("what goes elsewhere, or carries something, is said first, and then nothing is clean", () => {
    const away = list(note("/"), { ...note(""), address: "https://there.example/a", transferBytes: 0 });
    expect(away.groups[0]).toMatchObject({ group: "elsewhere", rows: [{ address: "https://there.example/a", way: "network" }] });
    expect(away.clean).toBe(false);
    expect(list(note("/theme.js", { initiator: "beacon" })).groups[0]?.group).toBe("sent");
    const posted = list(passedOn("/theme.js", { initiator: "POST", transferBytes: 0 }));
    expect(posted.groups[0]).toMatchObject({ group: "sent", rows: [{ address: "POST /theme.js", way: "network" }] });
    expect([away.clean, posted.clean, list(note("/theme.js")).clean]).toEqual([false, false, true]);
  });
});

describe("whether it went over the network", () => {
  const through = { byServiceWorker: true, transferBytes: 0 };
  const ways = (...noted: Noted[]) => list(...noted).groups.flatMap(({ rows }) => rows.map(({ address, way, networkBytes }) => [address, way, networkBytes]));

  it("is what the browser says, where no service worker stood between", () => {
    expect(ways(note("/theme.js"), note("/samples/a.json", { transferBytes: 0 }), note("/models/a/b.json", { byServiceWorker: true, transferBytes: 900 }))).toEqual([["/theme.js", "network", 400], ["/samples/a.json", "browser", 0], ["/models/a/b.json", "network", 900]]);
  });

  it("is what the service worker says, where one did", () => {
    expect(ways(note("/theme.js", through), passedOn("/theme.js", { transferBytes: 300 }))).toEqual([["/theme.js", "network", 300]]);
    expect(ways(note("/theme.js", through), passedOn("/theme.js", { transferBytes: 0 }))).toEqual([["/theme.js", "browser", 0]]);
    expect(ways(note("/theme.js", through))).toEqual([["/theme.js", "kept", 0]]);
    expect(ways(note("/train", { initiator: "navigation", byServiceWorker: true, transferBytes: 10_955 }))).toEqual([["/train", "kept", 0]]);
  });

  it("counts each of its requests once, and as its own where nobody here asked", () => {
    const { groups, total, network, networkBytes } = list(note("/theme.js", through), note("/theme.js", { ...through, startedAt: OPENED_AT + 5000, endedAt: OPENED_AT + 5001 }), passedOn("/theme.js", { transferBytes: 300 }), passedOn("/share", { transferBytes: 5000 }), passedOn("/models"));
    expect(groups.map(({ group, rows }) => [group, rows.map(({ way }) => way)])).toEqual([["program", ["network", "kept"]], ["offline", ["network", "network"]]]);
    expect([total, network, networkBytes]).toEqual([4, 3, 5700]);
  });

  it("leaves out what it did before this tab was there", () => {
    expect(list(passedOn("/theme.js", { startedAt: OPENED_AT - 5000 })).total).toBe(0);
  });
});

it("is copied as text, in the order of time", () => {
  expect(requestText(list(note("/theme.js", { startedAt: OPENED_AT + 500, who: "ductus-writer" }), note("/", { initiator: "navigation" }))).split("\n")).toEqual(["1970-01-01T00:16:40.010Z\tnetwork\t400\tthe page\t/", "1970-01-01T00:16:40.500Z\tnetwork\t400\twriting\t/theme.js"]);
});
