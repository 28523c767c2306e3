/** What was dropped, folders opened: each file with its path inside what was dropped. Not a judge of what the files are. */
import type { ModelSourceFile } from "../../workers/protocol";

/** A person drops a folder of writing or a model, not a disk. */
export const MAX_DROPPED = 20_000;
const MAX_DEPTH = 12;

export interface Dropped {
  files: ModelSourceFile[];
  /** There were more than are taken. */
  hasMore: boolean;
}

/** Must be called while the drop event is handled: the browser forgets its items afterwards. */
export async function droppedFiles(transfer: DataTransfer): Promise<Dropped> {
  const entries = [...transfer.items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry());
  if (entries.some((entry) => entry?.isDirectory)) {
    const files: ModelSourceFile[] = [];
    for (const entry of entries) if (entry !== null) await collect(entry, "", files, 0);
    return { files: files.slice(0, MAX_DROPPED), hasMore: files.length > MAX_DROPPED };
  }
  return { files: [...transfer.files].map((file) => ({ path: file.name, file })), hasMore: false };
}

async function collect(entry: FileSystemEntry, above: string, files: ModelSourceFile[], depth: number): Promise<void> {
  if (files.length > MAX_DROPPED || depth > MAX_DEPTH || entry.name.startsWith(".")) return;
  const path = above === "" ? entry.name : `${above}/${entry.name}`;
  if (isFile(entry)) {
    files.push({ path, file: await new Promise<File>((resolve, reject) => entry.file(resolve, reject)) });
  } else if (isDirectory(entry)) {
    const reader = entry.createReader();
    // A reader gives its entries in portions, and an empty one at the end.
    for (let more = await portion(reader); more.length > 0; more = await portion(reader)) {
      for (const inner of more) await collect(inner, path, files, depth + 1);
    }
  }
}

const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;
const isDirectory = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
const portion = (reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
