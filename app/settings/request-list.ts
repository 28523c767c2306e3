/**
 * What this tab has asked for, put in order and in words: each request with what
 * it was for, who asked, and whether it went over the network. Pure; the record
 * is app/_state/requests.ts'. A request whose address is not one of the site's
 * own files is not explained away: it stands by itself, and then the page does
 * not say that nothing left the device.
 */
import { isHubAddress } from "../../lib/core/hub-hosts";
import { HUB_ASKER } from "../_state/hub-requests";
import type { Noted } from "../_state/requests";

export type Group = "pages" | "program" | "look" | "runtime" | "model" | "samples" | "policy" | "offline" | "unknown" | "elsewhere" | "hub" | "sent";
/** "kept": from what the site keeps for use without a network; "browser": from the browser's own memory of pages. */
export type Way = "network" | "kept" | "browser";

export interface Row {
  /** Without this site's own origin. */
  address: string;
  group: Group;
  who: string;
  way: Way;
  /** Of the answer. */
  bytes: number;
  /** Over the network. */
  networkBytes: number;
  startedAt: number;
}

export interface RequestList {
  groups: { group: Group; rows: Row[] }[];
  total: number;
  network: number;
  networkBytes: number;
  /** Every one asked this site for one of its own files, or the hub for a model's, and none carried anything. */
  clean: boolean;
  /** How many asked the model hub. */
  hub: number;
}

/** In the order they are shown: what should not be there comes first. */
export const GROUPS: Record<Group, { title: string; why: string }> = {
  sent: { title: "Carried something", why: "These requests were of a kind that can carry something from here to a server. This site makes none." },
  elsewhere: { title: "Went elsewhere", why: "These were addressed to another site than this one." },
  unknown: { title: "Not known to this page", why: "These asked this site for something that is not one of its own files." },
  hub: { title: "The model hub", why: "Asked by the page for downloads, in this tab, for the model that you named there: first the hub at huggingface.co, and where that sends on, the address that keeps its files." },
  pages: { title: "Pages", why: "The page you opened, and those its links lead to, fetched ahead so that they open at once." },
  program: { title: "Program", why: "What makes the pages work, and the parts that train, write and keep things." },
  look: { title: "Type and look", why: "The typefaces, the stylesheet and the icon." },
  samples: { title: "Sample writers", why: "The texts of the invented writers on the start page." },
  model: { title: "The model", why: "The files of the model that comes with the site, and the list that says which they are. Once fetched they are kept, and each time only asked after." },
  runtime: { title: "Arithmetic", why: "onnxruntime, which does the sums of training and writing on this device." },
  policy: { title: "The policy", why: "This page’s own headers, because you asked to see them." },
  offline: { title: "For use without a network", why: "Asked for by the part that keeps the site’s files here. It serves every tab of this site, so what another tab asked for through it stands here too." },
};

const WHO: Record<string, string> = {
  "page": "the page", [HUB_ASKER]: "downloads", "ductus-hub": "downloads", "ductus-trainer": "training", "ductus-writer": "writing", "ductus-models": "models", "ductus-importer": "reading files",
  "ductus-keeper": "saving and opening", "ductus-threads": "timing the processor", "ductus-self-test": "the self-test", "ductus-service-worker": "keeping the site",
};
export const whoWords = (who: string): string => WHO[who] ?? who.replace(/^ductus-/, "");

const SERVICE_WORKER = "ductus-service-worker";
const OF_SERVICE_WORKER = "service worker";
/** Clocks of two processes agree about so well. */
const SLACK_MS = 150;

/** @param openedAt when this tab was loaded, Unix milliseconds */
export function requestList(noted: readonly Noted[], origin: string, openedAt: number): RequestList {
  const passedOn = noted.filter(({ who, startedAt }) => who === SERVICE_WORKER && startedAt >= openedAt - SLACK_MS);
  const used = new Set<Noted>();
  /** The network's part of a request that went through the service worker. */
  const networkPart = ({ address, startedAt, endedAt }: Noted): Noted | undefined => {
    const part = passedOn.find((note) => !used.has(note) && note.initiator === OF_SERVICE_WORKER && note.address === address && note.startedAt >= startedAt - SLACK_MS && note.startedAt <= endedAt + SLACK_MS);
    if (part !== undefined) used.add(part);
    return part;
  };
  const rows: Row[] = noted.filter(({ who }) => who !== SERVICE_WORKER).map((note) => {
    const part = note.byServiceWorker ? networkPart(note) : undefined;
    // What the service worker answered is told as if it had cost nothing, or as much as if it had come whole.
    const answeredThere = note.byServiceWorker && (note.transferBytes === 0 || note.initiator === "navigation");
    const networkBytes = part !== undefined ? part.transferBytes : answeredThere ? 0 : note.transferBytes;
    const group = groupOf(note, origin);
    const way: Way = networkBytes > 0 || group === "elsewhere" || group === "hub" ? "network" : answeredThere && part === undefined ? "kept" : "browser";
    return { address: shown(note.address, origin), group, who: whoWords(note.who), way, bytes: note.bytes, networkBytes, startedAt: note.startedAt };
  });
  for (const note of passedOn) {
    if (used.has(note)) continue;
    const own = note.initiator === OF_SERVICE_WORKER;
    const known = groupOf(note, origin);
    const group: Group = !own ? "sent" : known === "unknown" || known === "elsewhere" ? known : "offline";
    rows.push({ address: own ? shown(note.address, origin) : `${note.initiator} ${shown(note.address, origin)}`, group, who: whoWords(note.who), way: note.transferBytes > 0 || !own ? "network" : "browser", bytes: note.bytes, networkBytes: note.transferBytes, startedAt: note.startedAt });
  }
  const order = Object.keys(GROUPS) as Group[];
  const groups = order.map((group) => ({ group, rows: rows.filter((row) => row.group === group).sort((a, b) => a.startedAt - b.startedAt) })).filter((g) => g.rows.length > 0);
  return {
    groups,
    total: rows.length,
    network: rows.filter(({ way }) => way === "network").length,
    networkBytes: rows.reduce((sum, row) => sum + row.networkBytes, 0),
    hub: rows.filter(({ group }) => group === "hub").length,
    clean: !groups.some(({ group }) => group === "sent" || group === "elsewhere" || group === "unknown"),
  };
}

const shown = (address: string, origin: string): string => (address.startsWith(`${origin}/`) ? address.slice(origin.length) : address);

/** A hand's number is a random one, made here; it says nothing. */
const HAND = "hand=[0-9a-f]{32}";
const OWN_FILES: [group: Group, path: RegExp, query: RegExp][] = [
  ["look", /^\/_next\/static\/.+\.(css|woff2)$/, /^$/],
  ["look", /^\/(favicon\.ico|(icon|apple-icon)[\w.-]*|app-[\w-]+\.png|manifest\.(webmanifest|json))$/, /^(\?[\w.-]{1,80})?$/],
  ["runtime", /^\/_next\/static\/media\/ort[\w.~-]*\.(mjs|wasm)$/, /^$/],
  ["program", /^\/_next\/static\/[\w./~%[\]()-]+$/, /^$/],
  ["program", /^\/(sw|theme|trusted-types)\.js$/, /^$/],
  ["samples", /^\/samples\/[\w-]+\.json$/, /^$/],
  ["model", /^\/models\/[\w./-]+\.(json|safetensors|jinja|md)$/, /^(\?sha256=[0-9a-f]{64})?$/],
];
const PAGE_PATH = /^\/[\w./$-]{0,100}$/;
const PAGE_DATA = new RegExp(`^\\?(${HAND}&)?_rsc(=[\\w-]{0,40})?$`);
const OPENED = new RegExp(`^(\\?${HAND})?$`);

function groupOf({ who, address, initiator }: Pick<Noted, "who" | "address" | "initiator">, origin: string): Group {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return "unknown";
  }
  if (url.origin !== origin) return who === HUB_ASKER && isHubAddress(address) ? "hub" : "elsewhere";
  if (initiator === "beacon") return "sent";
  const { pathname, search } = url;
  const own = OWN_FILES.find(([, path, query]) => path.test(pathname) && query.test(search));
  if (own !== undefined) return own[0];
  if (!PAGE_PATH.test(pathname)) return "unknown";
  if (PAGE_DATA.test(search) || (initiator === "navigation" && OPENED.test(search))) return "pages";
  if (initiator === OF_SERVICE_WORKER && OPENED.test(search) && /^[^.]*(\.txt)?$/.test(pathname)) return "pages";
  return initiator === "fetch" && search === "" && /^\/settings(\.html|\/)?$/.test(pathname) ? "policy" : "unknown";
}

/** The whole list as text, for copying: time, way, bytes, who, address. */
export function requestText({ groups }: RequestList): string {
  const rows = groups.flatMap((group) => group.rows).sort((a, b) => a.startedAt - b.startedAt);
  return rows.map(({ startedAt, way, bytes, networkBytes, who, address }) => [new Date(startedAt).toISOString(), way, way === "network" ? networkBytes : bytes, who, address].join("\t")).join("\n");
}
