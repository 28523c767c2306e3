/**
 * Paths as names: of files in folders that were dropped, and of entries of
 * archives. They are only ever shown. Which of them belong to programs and
 * systems, and are no one's writing, is here too.
 */
import { tidyFileName, tidyName } from "../documents";

const MAX_SHOWN_CHARS = 120;
const LOOKED_AT_CHARS = 4096;

/** "notes/2024/march.txt", each part tidied; the outermost folders go where it would be long. */
export function tidyPath(path: string): string {
  const parts = path.slice(-LOOKED_AT_CHARS).split(/[\\/]+/).map(tidyName).filter((part) => !/^(?:\.{0,2}|[A-Za-z]:)$/.test(part));
  while (parts.length > 1 && parts.join("/").length > MAX_SHOWN_CHARS) parts.shift();
  return parts.join("/") || tidyFileName("");
}

const SYSTEM = new Set("__macosx thumbs.db ehthumbs.db desktop.ini $recycle.bin node_modules bower_components __pycache__ lost+found".split(" ").concat("system volume information", "icon\r"));

/** Hidden, or put there by a system or a program: ".git/config", "__MACOSX/._a.txt", "~$letter.docx" (the lock of an open document). */
export function isSystemPath(path: string): boolean {
  return path.slice(-LOOKED_AT_CHARS).split(/[\\/]+/).some((part) => SYSTEM.has(part.toLowerCase()) || /^(?:\.(?!\.?$)|~\$)/.test(part));
}
