/** The commands' own logic: what counts as installed, which inline scripts are allowed, how results are counted. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isInstalled } from "./deps.mjs";
import { allowInlineScripts, inlineScriptHashes } from "./inline-scripts.mjs";
import { countPlaywright, countVitest, summary } from "./results.mjs";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ductus-run-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(path: string, content: unknown): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
}

const sha256 = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

describe("isInstalled", () => {
  const lock = (versions: Record<string, string>) => ({ packages: { "": {}, ...Object.fromEntries(Object.entries(versions).map(([name, version]) => [`node_modules/${name}`, { version }])) } });

  it("is true only where every package is there in its version", () => {
    write("package-lock.json", lock({ a: "1.0.0", b: "2.0.0" }));
    expect(isInstalled(folder)).toBe(false);
    write("node_modules/.package-lock.json", lock({ a: "1.0.0", b: "2.0.1" }));
    expect(isInstalled(folder)).toBe(false);
    write("node_modules/.package-lock.json", lock({ a: "1.0.0" }));
    expect(isInstalled(folder)).toBe(false);
    write("node_modules/.package-lock.json", lock({ a: "1.0.0", b: "2.0.0" }));
    expect(isInstalled(folder)).toBe(true);
  });

  it("lets optional packages, those of other systems, be absent", () => {
    write("package-lock.json", { packages: { "node_modules/a": { version: "1.0.0", optional: true } } });
    write("node_modules/.package-lock.json", { packages: {} });
    expect(isInstalled(folder)).toBe(true);
  });
});

describe("inline scripts", () => {
  const policy = () => {
    const manifest = JSON.parse(readFileSync(join(folder, "routes-manifest.json"), "utf8")) as { headers: { headers: { value: string }[] }[] };
    return manifest.headers[0]?.headers[0]?.value;
  };
  const manifest = (value: string) => ({ headers: [{ source: "/:path*", headers: [{ key: "Content-Security-Policy", value }] }] });
  const waiting = manifest("script-src 'self' 'sha256-inline-scripts-of-the-build'; connect-src 'self'");

  it("hashes the text of scripts without src, byte for byte", () => {
    const html = `<script src="/a.js" async=""></script><script>self.x=1</script><script id="d" type="application/json">{"a":"\u003c/script"}\n</script>`;
    expect(inlineScriptHashes(html)).toEqual([sha256("self.x=1"), sha256(`{"a":"\u003c/script"}\n`)]);
  });

  it("puts each once into the policy that waits for them", () => {
    write("app-path-routes-manifest.json", { "/page": "/", "/about/page": "/about", "/icon.svg/route": "/icon.svg" });
    write("server/app/index.html", "<script>b()</script><script>a()</script>");
    write("server/app/about.html", "<script>a()</script>");
    write("routes-manifest.json", waiting);
    expect(allowInlineScripts(folder)).toBe(2);
    expect(policy()).toBe(`script-src 'self' ${[sha256("a()"), sha256("b()")].sort().join(" ")}; connect-src 'self'`);
  });

  it("refuses a page that is rendered on request, and a policy that does not wait for hashes", () => {
    write("app-path-routes-manifest.json", { "/page": "/", "/hand/[id]/page": "/hand/[id]" });
    write("server/app/index.html", "<script>a()</script>");
    write("routes-manifest.json", waiting);
    expect(() => allowInlineScripts(folder)).toThrow("/hand/[id] is not rendered at build time");
    write("app-path-routes-manifest.json", { "/page": "/" });
    write("routes-manifest.json", manifest("script-src 'self'"));
    expect(() => allowInlineScripts(folder)).toThrow("waits for the hashes");
  });
});

describe("results", () => {
  it("counts vitest's tests, and a file that does not load as a failure", () => {
    const report = {
      numPassedTests: 5, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1,
      testResults: [{ status: "failed", assertionResults: [{}] }, { status: "failed", assertionResults: [] }, { status: "passed", assertionResults: [{}] }],
    };
    expect(countVitest(report)).toEqual({ passed: 5, failed: 2, skipped: 3 });
  });

  it("counts Playwright's tests, errors outside them, and a pass on the second try as a failure", () => {
    expect(countPlaywright({ stats: { expected: 3, unexpected: 1, flaky: 1, skipped: 2 }, errors: [{}] })).toEqual({ passed: 3, failed: 3, skipped: 2 });
  });

  it("says them in the fixed words", () => {
    expect(summary({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
    expect(summary({ passed: 3, failed: 1, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
  });
});
