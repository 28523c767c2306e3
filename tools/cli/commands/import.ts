/** `import`: what the site would take from files, and what it would leave out. */
import { readdirSync, statSync, type Dirent } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { DuctusError } from "../../../lib/core/errors";
import { importFiles, type ImportEvent, type InputFile } from "../../../lib/data/import/import";
import { isFile, isFolder, resolvePath } from "../paths";
import type { Command } from "./command";

export const importCommand: Command = {
  name: "import",
  summary: "the documents that files hold, and what is left out of them",
  operands: { value: "FILE", help: "a file, or a folder, which is walked: .txt, .md, .html, .docx, .odt, .rtf, .pdf, .epub, .eml, .mbox, .csv, .json, .jsonl, and .zip of these. What is in a file says what it is, and only then its name" },
  options: [],
  details: `
Output: a line a document, {"name","text","excluded","reason"}: false and null where it is used; true and a sentence where it is left out, and then the text is empty unless it could be used all the same. A file that cannot be read is such a line too, its name and what is wrong with it. That is no failure: the exit code is 1 only where a path leads nowhere, and then nothing is read.

Text is cleaned and parted as on the site. Hidden files and those of systems and programs (.DS_Store, __MACOSX, node_modules) are passed over in folders and archives, and counted in one line.`,
  async run(options, output) {
    const files = options.operands.flatMap(filesAt);
    for await (const event of importFiles(files)) {
      if (event.type === "progress" && event.name !== "") output.progress(`${event.filesDone} of ${files.length} files: ${event.name}`);
      const line = lineOf(event);
      if (line !== null) await output.line(line);
    }
  },
};

interface Line {
  name: string;
  text: string;
  excluded: boolean;
  reason: string | null;
}

function lineOf(event: ImportEvent): Line | null {
  switch (event.type) {
    case "document":
      return { name: event.document.name, text: event.document.text, excluded: false, reason: null };
    case "left-out":
      return { name: event.name, text: event.document?.text ?? "", excluded: true, reason: event.reason };
    case "fault":
      return { name: event.name, text: "", excluded: true, reason: event.error.message };
    case "file":
    case "progress":
      return null;
  }
}

/** Those of a folder in the order of their names; links to other folders are not followed, since they may lead round. @throws DuctusError `file/not-found`, `file/unreadable` */
function filesAt(given: string): InputFile[] {
  const path = resolvePath(given);
  // A path with a folder in it: a hidden file is passed over in a folder, and read where it is named itself.
  if (isFolder(path)) return walk(path, ".");
  if (isFile(path)) return [inputFile(path, basename(path))];
  throw new DuctusError("file/not-found", `There is no file “${given.slice(0, 200)}”.`, "Check the path.");
}

function walk(folder: string, shown: string): InputFile[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    throw new DuctusError("file/unreadable", `The folder “${folder}” cannot be read.`, "Check its permissions.", { cause });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((entry): InputFile[] => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return walk(path, `${shown}/${entry.name}`);
    return entry.isFile() || (entry.isSymbolicLink() && isFile(path)) ? [inputFile(path, `${shown}/${entry.name}`)] : [];
  });
}

function inputFile(path: string, shown: string): InputFile {
  return { path: shown, bytes: statSync(path).size, read: async () => new Uint8Array(await readFile(path)) };
}
