/**
 * A host of files as there are many: a folder, `/train` for train.html, and the
 * headers that the folder's own `_headers` asks for, nothing else.
 */
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm", ".woff2": "font/woff2", ".webmanifest": "application/manifest+json",
};

interface Rule {
  /** A path, or the beginning of one before "*". */
  pattern: string;
  /** Null takes away what an earlier rule has set. */
  headers: [key: string, value: string | null][];
}

/** As Cloudflare Pages reads it: a path at a line's beginning, its headers indented under it, `! name` for one that is not to be sent. */
export function readHeadersFile(text: string): Rule[] {
  const rules: Rule[] = [];
  for (const line of text.split("\n")) {
    if (/^\S/.test(line)) rules.push({ pattern: line.trim(), headers: [] });
    const header = /^\s+([\w-]+):\s*(.*)$/.exec(line);
    if (header) rules.at(-1)?.headers.push([header[1]!, header[2]!]);
    const without = /^\s+! ([\w-]+)$/.exec(line);
    if (without) rules.at(-1)?.headers.push([without[1]!, null]);
  }
  return rules;
}

const applies = ({ pattern }: Rule, path: string): boolean => (pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern);

export async function startStaticHost(folder: string): Promise<{ address: string; stop: () => Promise<void> }> {
  const rules = readHeadersFile(readFileSync(join(folder, "_headers"), "utf8"));
  const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://host").pathname));
    const wanted = join(folder, path);
    const found = [wanted, `${wanted}.html`, join(wanted, "index.html")].find(isFile);
    const file = found ?? join(folder, "404.html");
    for (const [key, value] of rules.flatMap((rule) => (applies(rule, path) ? rule.headers : []))) {
      if (value === null) response.removeHeader(key);
      else response.setHeader(key, response.hasHeader(key) ? `${String(response.getHeader(key))}, ${value}` : value);
    }
    response.writeHead(found === undefined ? 404 : 200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  return {
    address: `http://localhost:${typeof address === "object" && address !== null ? address.port : 0}`,
    stop: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  };
}
