/**
 * The headers of every response, workers and models included: a policy on the
 * page does not bind its workers, they take the policy of their own file. Terms
 * are those of Content Security Policy Level 3. Not a router: next.config.ts
 * attaches these to paths, and the server (tools/run/serve.mjs) repeats them on
 * answers that Next.js gives outside its routes. One answer alone is another:
 * that of the page for downloads from the model hub (lib/core/hub-hosts.ts).
 */
import { HUB_SOURCES } from "./lib/core/hub-hosts";

export interface Header {
  key: string;
  value: string;
}

const POLICY = "Content-Security-Policy";

/**
 * Stands in script-src until tools/run/inline-scripts.mjs has put the hashes of
 * the built pages' inline scripts there. It matches no script, so a build that
 * missed that step shows nothing rather than running unlisted scripts.
 */
const INLINE_SCRIPTS = "'sha256-inline-scripts-of-the-build'";

/**
 * @param development Next.js compiles with eval and inlines scripts freely while developing.
 * @param connect what may be asked besides this site
 */
export function contentSecurityPolicy(development: boolean, connect: readonly string[] = []): string {
  const directives: Record<string, string> = {
    "default-src": "'self'",
    // wasm-unsafe-eval compiles WebAssembly; it allows no script.
    "script-src": `'self' 'wasm-unsafe-eval' ${development ? "'unsafe-inline' 'unsafe-eval'" : INLINE_SCRIPTS}`,
    "worker-src": "'self'",
    "connect-src": ["'self'", ...connect].join(" "),
    "manifest-src": "'self'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    // Peer connections ask no other directive.
    webrtc: "'block'",
    // Strings become scripts or markup only through the one policy in public/trusted-types.js.
    ...(development ? {} : { "require-trusted-types-for": "'script'", "trusted-types": "default" }),
  };
  return Object.entries(directives).map(([name, sources]) => `${name} ${sources}`).join("; ");
}

/** The policy of the page for downloads from the model hub, in the place of the other. Its worker keeps the other, as every script's file does. */
export function hubPolicy(development: boolean): Header {
  return { key: POLICY, value: contentSecurityPolicy(development, HUB_SOURCES) };
}

export function securityHeaders(development: boolean): Header[] {
  return [
    { key: POLICY, value: contentSecurityPolicy(development) },
    // These two isolate the page, without which wasm has one thread.
    { key: "Cross-Origin-Opener-Policy", value: "same-origin" },
    { key: "Cross-Origin-Embedder-Policy", value: "require-corp" },
    { key: "Cross-Origin-Resource-Policy", value: "same-origin" },
    { key: "Referrer-Policy", value: "no-referrer" },
    { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), display-capture=(), browsing-topics=()" },
    { key: "X-Content-Type-Options", value: "nosniff" },
    // A name looked up in advance tells its server's owner.
    { key: "X-DNS-Prefetch-Control", value: "off" },
  ];
}
