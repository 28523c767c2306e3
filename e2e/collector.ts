/** A second server on this machine that takes in anything from anywhere, and remembers what arrived: where a leak would go. */
import { createServer } from "node:http";

export interface Collector {
  /** Without a slash at its end. */
  address: string;
  /** Paths of what arrived, bodies after them. */
  arrived: string[];
  stop: () => Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const arrived: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    arrived.push(path);
    // Whatever could hold a page back from asking is allowed; only the page's own policy stands in the way.
    const headers: Record<string, string> = {
      "access-control-allow-origin": request.headers.origin ?? "*",
      "access-control-allow-methods": "*",
      "access-control-allow-headers": "*",
      "access-control-allow-credentials": "true",
      "cross-origin-resource-policy": "cross-origin",
      "cross-origin-embedder-policy": "require-corp",
      "cross-origin-opener-policy": "unsafe-none",
    };
    const kinds: [RegExp, string][] = [[/script|import/, "text/javascript"], [/style/, "text/css"], [/events/, "text/event-stream"], [/image|css-url/, "image/svg+xml"], [/frame|form/, "text/html"]];
    headers["content-type"] = kinds.find(([kind]) => kind.test(path))?.[1] ?? "text/plain";
    request.resume();
    response.writeHead(200, headers).end(path.includes("events") ? "data: x\n\n" : "");
  });
  server.on("upgrade", (request, socket) => {
    arrived.push(request.url ?? "");
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  return {
    address: `http://localhost:${typeof address === "object" && address !== null ? address.port : 0}`,
    arrived,
    stop: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    }),
  };
}
