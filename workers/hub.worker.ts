/**
 * The worker of the page for downloads: asks for a model's files by way of the
 * page (hub-protocol.ts), checks their hashes and writes them into the origin
 * private file system. Of the database it reads one setting, whether the hub is
 * turned on. Its own policy lets it ask no other address than this site's.
 */
import { expose } from "comlink";
import { DuctusError } from "../lib/core/errors";
import { beginDownload } from "../lib/store/begin-download";
import { announce } from "../lib/store/changes";
import { getDownload } from "../lib/store/downloads";
import { getSetting } from "../lib/store/hands";
import { requireRoom } from "../lib/store/room";
import { countParameters, parseModelConfig, type ModelConfig } from "../lib/train/model/config";
import { listHub, neededFiles, parseRepoName, type HubAccess, type HubFetch, type HubFile, type HubListing } from "../lib/train/model/hub";
import { downloadFiles, downloadSmall } from "../lib/train/model/hub-download";
import { opfsSink } from "../lib/train/model/hub-sink";
import type { DownloadProgress, HubApi, HubConnections, HubOutlook } from "./hub-protocol";
import { recommend, weightBytes } from "./model-outlook";
import { reportRequests } from "./requests";
import { registerTransferHandlers } from "./transfer";

const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
const MAX_PARAMETERS = 20e9;
/** Progress is sent this often. */
const PROGRESS_MS = 200;
/** Before this, a rate says nothing. */
const ESTIMATE_AFTER_MS = 2000;

/** Looked up in this visit, by name. */
const lookedUp = new Map<string, { listing: HubListing; files: HubFile[]; heldBytes: number }>();
let abort: AbortController | null = null;
let lastRequest = 0;

const deviceGib = (): number | undefined => (navigator as WorkerNavigator & { deviceMemory?: number }).deviceMemory;

/** Fetch, by way of the page. */
function through(connections: HubConnections): HubFetch {
  return async (url, { headers, signal }) => {
    const id = ++lastRequest;
    const leave = (): void => void Promise.resolve(connections.leave(id)).catch(() => undefined);
    signal?.addEventListener("abort", leave, { once: true });
    const answer = await connections.ask(id, url, { ...(headers as Record<string, string> | undefined) });
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: async (controller) => {
        const piece = await connections.more(id);
        if (piece === null) controller.close();
        else controller.enqueue(piece);
      },
      cancel: leave,
    }, { highWaterMark: 1 });
    const response = new Response(body, { status: answer.status, headers: answer.headers });
    // What the constructor makes has no address of its own.
    Object.defineProperty(response, "url", { value: answer.url });
    return response;
  };
}

/** @throws DuctusError `model/hub-off`: the page asks as well, before it starts this worker */
async function access(connections: HubConnections, signal: AbortSignal): Promise<HubAccess> {
  if ((await getSetting("hub")) !== true) throw new DuctusError("model/hub-off", "Downloads from the hub are turned off.", "Turn them on first, on the Models page.");
  return { allow: true, fetchFn: through(connections), signal };
}

async function lookUp(name: string, connections: HubConnections): Promise<HubOutlook> {
  const may = await access(connections, new AbortController().signal);
  const listing = await listHub(parseRepoName(name), may);
  const files = neededFiles(listing);
  const configFile = files.find((file) => file.name === "config.json") as HubFile;
  if (configFile.bytes > MAX_CONFIG_BYTES) throw unreadable(listing.repo);
  const config = readConfig(listing.repo, await downloadSmall(listing, configFile, may));
  const parameters = countParameters(config);
  if (parameters > MAX_PARAMETERS) throw new DuctusError("model/too-large", `${listing.repo} has ${Math.round(parameters / 1e9)} billion parameters: more than any browser can hold.`, "Choose a smaller one.");
  const advice = recommend(config, deviceGib());
  const heldBytes = weightBytes(config, advice.recommended);
  lookedUp.set(listing.repo, { listing, files, heldBytes });
  return { repo: listing.repo, licence: listing.licence, family: config.family, parameters, downloadBytes: files.reduce((sum, { bytes }) => sum + bytes, 0), weightBytes: heldBytes, ...advice };
}

function readConfig(repo: string, bytes: Uint8Array): ModelConfig {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw unreadable(repo);
  }
  return parseModelConfig(json);
}

const unreadable = (repo: string): DuctusError => new DuctusError("model/damaged", `The config.json of ${repo} on the hub cannot be read.`, "Choose another model.");

async function download(repo: string, connections: HubConnections, onProgress: (progress: DownloadProgress) => void): Promise<boolean> {
  if (abort !== null) throw new DuctusError("app/busy", "A model is being downloaded already.", "Wait for it to end, or stop it.");
  const mine = (abort = new AbortController());
  try {
    const may = await access(connections, mine.signal);
    const begun = await getDownload(repo);
    const found = lookedUp.get(repo);
    // What was begun is gone on with as it was listed then, so that all its files belong together.
    const listing = begun?.listing ?? found?.listing;
    const files = begun?.listing?.files ?? found?.files;
    if (listing === undefined || files === undefined) throw new DuctusError("store/gone", `What was begun of ${repo} is no longer in this browser.`, "Look it up again.");
    const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    const doneBefore = begun?.doneBytes ?? 0;
    // It lies here twice for a moment: as it came, and in the form in which it is held.
    await requireRoom(totalBytes - doneBefore + (found?.heldBytes ?? totalBytes / 2), `“${repo}”`);
    const directory = await beginDownload(listing, files);
    await downloadFiles(listing, files, (name) => opfsSink(directory, files.find((file) => file.name === name) as HubFile), { ...may, onProgress: reporter(doneBefore, onProgress) });
    return true;
  } catch (error) {
    if (mine.signal.aborted) return false;
    throw error;
  } finally {
    abort = null;
    announce({ kind: "models" });
  }
}

/** Sends progress now and then, the end always. The rate is that of what has come since it was begun or gone on with. */
function reporter(doneBefore: number, onProgress: (progress: DownloadProgress) => void): (done: number, total: number) => void {
  const startedAt = performance.now();
  let sentAt = -Infinity;
  return (doneBytes, totalBytes) => {
    const now = performance.now();
    if (now - sentAt < PROGRESS_MS && doneBytes < totalBytes) return;
    sentAt = now;
    const spent = now - startedAt, come = doneBytes - doneBefore;
    onProgress({ doneBytes, totalBytes, remainingMs: spent < ESTIMATE_AFTER_MS || come <= 0 ? null : (spent / come) * (totalBytes - doneBytes) });
  };
}

const api: HubApi = {
  lookUp,
  download,
  stop: () => abort?.abort(new DOMException("stopped", "AbortError")),
};

reportRequests();
registerTransferHandlers();
expose(api);
