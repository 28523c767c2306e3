/** Which texts `--text` names: a file, a folder of .txt files, or a folder of authors of which each gives its first book. */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";

export interface NamedText {
  /** The author's folder, or the file without its ending. */
  name: string;
  path: string;
}

const stem = (path: string): string => basename(path).replace(/\.txt$/i, "");

/** By name, folders before files. @throws RangeError where there is no text. */
export function findTexts(path: string): NamedText[] {
  if (!statSync(path).isDirectory()) return [{ name: stem(path), path }];
  const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  const books = entries.filter((entry) => entry.isDirectory()).flatMap(({ name }) => {
    const first = readdirSync(join(path, name)).filter((file) => /\.txt$/i.test(file)).sort()[0];
    return first === undefined ? [] : [{ name, path: join(path, name, first) }];
  });
  const files = entries.filter((entry) => entry.isFile() && /\.txt$/i.test(entry.name)).map(({ name }) => ({ name: stem(name), path: join(path, name) }));
  if (books.length + files.length === 0) throw new RangeError(`There is no .txt file in ${path}.`);
  return [...books, ...files];
}
