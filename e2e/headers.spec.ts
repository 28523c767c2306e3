/** Every kind of answer carries the whole set of headers: pages, faults, scripts, workers, wasm, models, samples. */
import { get, type IncomingHttpHeaders } from "node:http";
import { expect, test } from "@playwright/test";
import { HUB_SOURCES } from "../lib/core/hub-hosts";
import { contentSecurityPolicy, securityHeaders } from "../security-headers";
import { beginWith, expectState, SHORT_TEXT, startTraining } from "./person";

const POLICY = "content-security-policy";

/** The policy with the inline scripts of the build in the place that was kept for them. @param connect what it lets the page ask besides this site */
function expectHeaders(address: string, headers: Record<string, string>, connect: readonly string[] = []): void {
  for (const { key, value } of securityHeaders(false)) {
    const found = headers[key.toLowerCase()];
    if (key.toLowerCase() !== POLICY) expect(found, `${key} of ${address}`).toBe(value);
  }
  const [before, after] = contentSecurityPolicy(false, connect).split("'sha256-inline-scripts-of-the-build'");
  const policy = headers[POLICY] ?? "";
  expect(policy.startsWith(before!) && policy.endsWith(after!), `the policy of ${address}: ${policy}`).toBe(true);
  expect(policy.slice(before!.length, policy.length - after!.length), `inline scripts of ${address}`).toMatch(/^'sha256-[\w+/=]{44}'( 'sha256-[\w+/=]{44}')*$/);
  expect(policy).toContain(`connect-src ${["'self'", ...connect].join(" ")};`);
}

test("pages, faults and odd requests", async ({ request }) => {
  const html = await (await request.get("/")).text();
  const chunk = /"(\/_next\/static\/chunks\/[^"]+\.js)"/.exec(html)?.[1];
  const asked: [path: string, status: number, options?: Parameters<typeof request.fetch>[1]][] = [
    ["/", 200], ["/writing", 200], ["/train", 200], ["/compare", 200], ["/share", 200], ["/chat", 200], ["/models", 200], ["/settings", 200], ["/icon.svg", 200], ["/manifest.webmanifest", 200], ["/app-192.png", 200], ["/favicon.ico", 200], ["/theme.js", 200], ["/trusted-types.js", 200],
    ["/", 200, { method: "HEAD" }],
    ["/train?hand=x", 200],
    ["/writing", 307, { headers: { rsc: "1" } }], // a redirect
    ["/nowhere", 404], ["/_next/static/chunks/nowhere.js", 404], ["/models/nowhere/model.safetensors", 404], ["/samples/nowhere.json", 404],
    ["/%E0%A4%A", 404],
    [chunk!, 200],
    ["/samples/allotment.json", 200], ["/samples/letters.json", 200],
    ["/models/manifest.json", 200], ["/models/ductus-base/tokenizer.json", 200],
    ["/models/ductus-base/model.safetensors", 206, { headers: { range: "bytes=0-99" } }],
    ["/models/ductus-base/model.safetensors", 200, { method: "HEAD" }],
  ];
  for (const [path, status, options] of asked) {
    const response = await request.fetch(path, { ...options, maxRedirects: 0 });
    expect(response.status(), path).toBe(status);
    expectHeaders(path, response.headers());
  }
  const tag = (await request.get("/models/manifest.json")).headers()["etag"];
  const unchanged = await request.get("/models/manifest.json", { headers: { "if-none-match": tag! } });
  expect(unchanged.status()).toBe(304);
  expectHeaders("an answer of no change", unchanged.headers());
});

test("the page for downloads from the model hub alone may ask the hub: no other address, however it is written", async ({ request, baseURL }) => {
  for (const path of ["/hub", "/hub?x=1"]) {
    const response = await request.fetch(path, { maxRedirects: 0 });
    expect(response.status(), path).toBe(200);
    expectHeaders(path, response.headers(), HUB_SOURCES);
  }
  const { hostname, port } = new URL(baseURL!);
  for (const path of ["/hub/", "/HUB", "/Hub", "/%68ub", "/hub%2f", "//hub", "/hub.html", "/hub.txt", "/hub/x", "/x/../hub/", "/./hub", "/hub;x", "/hub%20", "/index/hub", "/hub#x"]) {
    // As it stands: whatever makes requests for tests would tidy it first.
    const headers = await new Promise<IncomingHttpHeaders>((resolve, reject) => get({ hostname, port, path }, (response) => resolve((response.resume(), response.headers))).once("error", reject));
    expectHeaders(path, headers as Record<string, string>);
  }
});

test("everything that a run loads", async ({ page, context }) => {
  const answers = new Map<string, Record<string, string>>();
  context.on("response", (response) => {
    if (response.url().startsWith("http")) answers.set(response.url(), response.headers());
  });
  await beginWith(page, "night-bread.txt", SHORT_TEXT);
  await startTraining(page);
  await expectState(page, "training");
  const addresses = [...answers.keys()];
  // The watch has seen each kind, those that workers ask for among them.
  for (const kind of [/\/$/, /\/_next\/static\/chunks\/[^/]+\.css$/, /\/_next\/static\/chunks\/turbopack-worker-[^/]+\.js$/, /\.woff2$/, /\.mjs$/, /\.wasm$/, /\/models\/manifest\.json$/, /\/model\.safetensors(\?|$)/, /\/samples\/allotment\.json$/]) {
    expect(addresses.some((address) => kind.test(address)), `${kind} among ${addresses.join("\n")}`).toBe(true);
  }
  for (const [address, headers] of answers) expectHeaders(address, headers);
});
