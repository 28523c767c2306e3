import { mkdtempSync, writeFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { call, writeTinyModel, writeTinyAdapter } from "./testing/folders";
it("x", async () => {
  const dir = mkdtempSync(join(tmpdir(), "ductus-cli-"));
  writeTinyModel(join(dir, "m")); writeTinyAdapter(join(dir, "a"));
  writeFileSync(join(dir, "t.txt"), "The garden was wet, and so was he.\n");
  const r = await call("logits", "--model", join(dir, "m"), "--text", join(dir, "t.txt"));
  console.log(r.code, r.stdout.slice(0, 300), r.stderr);
  const r2 = await call("logits", "--model", join(dir, "m"), "--adapter", join(dir, "a"), "--text", join(dir, "t.txt"));
  console.log(r2.code, r2.stdout.slice(0, 300), r2.stderr);
  console.log((await call("logits", "--help")).stdout, (await call("--help")).stdout);
  console.log((await call("logits", "--modal")).stdout, (await call("lo")).stdout, await call());
});
