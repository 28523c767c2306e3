/** The command `import`: what it prints of files, folders and archives, and how it ends. */
import { strToU8, zipSync } from "fflate";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call } from "./testing/folders";

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
const write = (name: string, content: string | Uint8Array) => (writeFileSync(at(name), content), at(name));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ductus-cli-import-"));
  mkdirSync(at("notes", "2024"), { recursive: true });
  mkdirSync(at("notes", ".git"));
  write("notes/2024/march.txt", "It rained all day.\r\n");
  write("notes/.git/config", "[core]");
  write("notes/b.png", Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10]));
  write("notes/c.md", "# A walk\n\nIt rained all day, and the river stood high.\n");
  write("notes/d.txt", "It rained  all day.");
  symlinkSync(at("notes"), at("notes", "round"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("import", () => {
  it("prints a line a document, and one for what is left out, of a folder in the order of its names", async () => {
    const { code, lines, stderr } = await call("import", at("notes"));
    expect(code).toBe(0);
    expect(lines).toEqual([
      { name: "2024/march", text: "It rained all day.", excluded: false, reason: null },
      { name: "b.png", text: "", excluded: true, reason: expect.stringMatching(/^“b\.png” looks like a PNG image\. This version reads text, /) as string },
      { name: "c", text: expect.stringContaining("It rained all day, and the river stood high.") as string, excluded: false, reason: null },
      { name: "d", text: "It rained  all day.", excluded: true, reason: "It is the same text as “2024/march”, which is already here." },
      { name: "Hidden and system files", text: "", excluded: true, reason: expect.stringContaining("One file was not looked at") as string },
    ]);
    expect(stderr).toMatch(/of 5 files: /);
  });

  it("takes several files, archives and names that begin with dashes", async () => {
    const zip = write("a.zip", zipSync({ "in/letter.txt": strToU8("We went home.") }));
    const csv = write("--b.csv", 'title,text\nRain,"It rained, he said, and the ""river"" stood high."\n');
    const { code, lines } = await call("import", zip, "--", csv);
    expect(code).toBe(0);
    expect(lines).toEqual([
      { name: "in/letter", text: "We went home.", excluded: false, reason: null },
      { name: "Rain", text: 'It rained, he said, and the "river" stood high.', excluded: false, reason: null },
    ]);
  });

  it("calls a chat and an empty file left out, and ends well", async () => {
    const chat = write("chat.json", JSON.stringify({ messages: [{ role: "user", content: "And?" }, { role: "assistant", content: "Nothing." }] }));
    const { code, lines } = await call("import", chat, write("empty.txt", ""));
    expect(code).toBe(0);
    expect(lines).toEqual([
      { name: "chat.json", text: "", excluded: true, reason: expect.stringMatching(/^It looks like a conversation: .*a later one reads chats\.$/) as string },
      { name: "empty.txt", text: "", excluded: true, reason: "“empty.txt” has no words in it." },
    ]);
  });

  it.each<[string, () => string[], string, RegExp]>([
    ["no file", () => [], "app/usage", /import needs FILE/],
    ["an unknown option", () => ["--model", "x"], "app/usage", /“--model” is not an option of import\. It has none\./],
    ["a missing file, before anything is read", () => [at("notes"), at("nowhere")], "file/not-found", /There is no file “.*nowhere”/],
  ])("refuses %s", async (_, args, code, says) => {
    const result = await call("import", ...args());
    expect(result.code).toBe(1);
    expect(result.lines).toHaveLength(1);
    expect(result.error?.code).toBe(code);
    expect(`${result.error?.message} ${result.error?.nextStep ?? ""}`).toMatch(says);
  });

  it("describes itself on --help", async () => {
    const { code, stdout } = await call("import", "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("npm run -s ductus -- import FILE…");
    expect(stdout.split("\n").every((line) => line.length <= 100)).toBe(true);
    expect((await call("--help")).stdout).toContain("  import ");
  });
});
