import type { NextConfig } from "next";
import { HUB_PAGE } from "./lib/core/hub-hosts";
import { hubPolicy, securityHeaders } from "./security-headers";

const development = process.env.NODE_ENV === "development";
const empty = "./tools/run/empty.mjs";
/** Set by tools/run/static.mjs: files for a host without Next.js, whose headers it writes itself. */
const files = process.env.DUCTUS_STATIC === "1";

const config: NextConfig = {
  poweredByHeader: false,
  reactStrictMode: true,
  // A page's data is good as long as the tab: the pages are the same for everyone, and asking anew where there is no network
  // (or another build) would load a whole page, and end what goes on in this one. See app/_components/pages-at-hand.tsx.
  experimental: { staleTimes: { static: 31_536_000 } },
  // Compressing the runtime's wasm (over 10 MB) anew for each visit costs more
  // than it saves on one machine; a public host compresses in front of us.
  compress: false,
  // No image service: it would bring in sharp, and an endpoint that fetches.
  images: { unoptimized: true },
  // `npm run types` checks every project, the build would check one of them again.
  typescript: { ignoreBuildErrors: true },
  turbopack: {
    root: process.cwd(),
    // What only Node can load never enters a bundle for the browser. (`stream`: jszip asks whether there is one; what
    // stands in for it in bundles makes functions from strings, which the policy refuses.) Markdown's names of characters
    // are looked up in a table, as in Node, and not by an element's innerHTML: a worker has no elements, and the policy no innerHTML.
    resolveAlias: {
      "onnxruntime-node": { browser: empty }, sharp: { browser: empty }, stream: { browser: empty },
      "decode-named-character-reference": { browser: "./node_modules/decode-named-character-reference/index.js" },
    },
  },
  ...(files ? { output: "export", distDir: "out" } : served()),
};

/** What only a server can do. */
function served(): NextConfig {
  return {
    // Else /HUB, where there is no page of that kind, would have the policy of /hub.
    experimental: { caseSensitiveRoutes: true },
    // Browsers ask for it of their own accord when a change of page takes the link to the icon away for a moment.
    rewrites: () => Promise.resolve([{ source: "/favicon.ico", destination: "/icon.svg" }]),
    // Next.js freezes these into the build; what is added later and why: tools/run/inline-scripts.mjs.
    headers: () =>
      Promise.resolve([
        { source: "/:path*", headers: securityHeaders(development) },
        // The last rule for a header is the one that holds. No other address of that page has it, in whatever letters.
        { source: HUB_PAGE, headers: [hubPolicy(development)] },
        // Files under /_next/static carry a hash in their name, and Next.js marks
        // them immutable. Models keep their names: ask each time, unless the
        // address names the content (`?sha256=…`, from the manifest).
        { source: "/models/:path*", headers: [{ key: "Cache-Control", value: "no-cache" }] },
        {
          source: "/models/:path*",
          has: [{ type: "query", key: "sha256" }],
          headers: [{ key: "Cache-Control", value: "public, max-age=31536000, immutable" }],
        },
      ]),
  };
}

export default config;
