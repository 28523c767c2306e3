/**
 * A model repository of the Hugging Face hub: its name, the list of its files
 * at one commit (sizes, hashes, licence), and which of them Ductus needs. This
 * is the only part of Ductus, with hub-download.ts, that speaks to another
 * server, and it does so only for a caller who states that the person has
 * allowed it. No account, no cookie and no referrer is sent. The addresses are
 * those of huggingface_hub: `/api/models/{repo}/revision/{revision}` and
 * `/{repo}/resolve/{commit}/{file}`.
 */
import "../../zod";
import * as z from "zod";
import { DuctusError } from "../../core/errors";
import { HUB_ORIGIN } from "../../core/hub-hosts";

export const HUB = HUB_ORIGIN;

export type HubFetch = (url: string, init: RequestInit) => Promise<Response>;

export interface HubAccess {
  /** The caller's word that the person has allowed connections to the hub. */
  allow: true;
  fetchFn: HubFetch;
  /** Another server of the same kind; the hub itself where it is absent. */
  endpoint?: string;
  signal?: AbortSignal;
}

export interface HubFile {
  /** Base name; files in subfolders are not listed. */
  name: string;
  bytes: number;
  /** What the content is checked by: large files by their sha256, small ones by git's blob hash. Hex. */
  hash: { kind: "sha256" | "git"; hex: string };
}

export interface HubListing {
  repo: string;
  /** The revision asked for, as the commit it was at that moment; all files are taken from it. */
  commit: string;
  /** As the repository states it, e.g. `apache-2.0`; null where it does not. */
  licence: string | null;
  files: HubFile[];
}

/** Of the hub: one letter or digit at each end, no `..`, no `--`. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$/;
const REVISION = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/;
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;
const MAX_LISTING_BYTES = 16 * 1024 * 1024;
const MAX_FILE_BYTES = 100 * 1024 ** 3;

/**
 * @param text `owner/name`, or the address of the repository's page
 * @returns `owner/name`
 * @throws DuctusError `model/repo-name`
 */
export function parseRepoName(text: string): string {
  const parts = text.trim().replace(/^https:\/\/(huggingface\.co|hf\.co)\//, "").replace(/\/(tree\/main\/?)?$/, "").split("/");
  if (parts.length !== 2 || !parts.every((part) => NAME.test(part) && !part.includes("..") && !part.includes("--"))) {
    throw new DuctusError("model/repo-name", `“${text.slice(0, 100)}” is not the name of a model on the hub.`, "Write it as owner/name, for example Qwen/Qwen2.5-0.5B-Instruct.");
  }
  return parts.join("/");
}

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const listingSchema = z.looseObject({
  sha: hex(40),
  cardData: z.looseObject({ license: z.union([z.string(), z.array(z.string())]).nullish(), license_name: z.string().nullish() }).nullish(),
  siblings: z.array(z.looseObject({
    rfilename: z.string(),
    size: z.int().nonnegative().max(MAX_FILE_BYTES).optional(),
    blobId: hex(40).optional(),
    lfs: z.looseObject({ sha256: hex(64) }).nullish(),
  })).max(20_000),
});

/**
 * Asks the hub what a repository holds.
 * @param revision branch, tag or commit
 * @throws DuctusError `model/repo-name`, `model/offline`, `model/hub-…` (see {@link hubRefusal}), `model/hub-answer`
 */
export async function listHub(repo: string, access: HubAccess, revision = "main"): Promise<HubListing> {
  const name = parseRepoName(repo);
  if (!REVISION.test(revision) || revision.includes("..")) throw new DuctusError("model/repo-name", `“${revision.slice(0, 100)}” is not a version of a model.`, "Leave the version empty to take the newest.");
  const url = `${access.endpoint ?? HUB}/api/models/${name}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const response = await ask(url, access, {});
  if (!response.ok) throw await refused(response, name);
  const parsed = listingSchema.safeParse(await readJsonBody(response, access.signal));
  if (!parsed.success) throw strangeAnswer(z.prettifyError(parsed.error));
  const { sha, siblings, cardData } = parsed.data;
  const files = siblings.flatMap(({ rfilename, size, blobId, lfs }): HubFile[] => {
    if (!FILE_NAME.test(rfilename) || size === undefined) return [];
    if (lfs) return [{ name: rfilename, bytes: size, hash: { kind: "sha256", hex: lfs.sha256 } }];
    return blobId === undefined ? [] : [{ name: rfilename, bytes: size, hash: { kind: "git", hex: blobId } }];
  });
  const licence = [cardData?.license ?? []].flat()[0] ?? null;
  return { repo: name, commit: sha, licence: (licence === "other" ? cardData?.license_name : null) ?? licence, files };
}

const SMALL_FILES = ["config.json", "generation_config.json", "tokenizer_config.json", "tokenizer.json", "chat_template.jinja"];
const OPTIONAL = new Set(["generation_config.json", "chat_template.jinja"]);

/**
 * The files that openModelFiles needs, small ones first.
 * @throws DuctusError `model/missing-file`, `model/pickle` where the repository has them in another form only
 */
export function neededFiles({ files, repo }: HubListing): HubFile[] {
  const find = (name: string) => files.find((file) => file.name === name);
  const missing = SMALL_FILES.find((name) => !OPTIONAL.has(name) && !find(name));
  if (missing !== undefined) throw new DuctusError("model/missing-file", `The model ${repo} has no ${missing} on the hub, which Ductus needs.`, "Choose another model.");
  const small = SMALL_FILES.flatMap((name) => find(name) ?? []);
  const whole = find("model.safetensors");
  if (whole) return [...small, whole];
  const index = find("model.safetensors.index.json");
  const shards = files.filter(({ name }) => /^model-\d{5}-of-\d{5}\.safetensors$/.test(name));
  if (!index || shards.length === 0) throw new DuctusError("model/pickle", `The model ${repo} has no weights as .safetensors.`, "Choose a model that has.");
  return [...small, index, ...shards];
}

/** One request. @throws DuctusError `model/offline` where none of it arrives; the signal's reason where it aborts */
export async function ask(url: string, { allow, fetchFn, signal }: HubAccess, headers: Record<string, string>, within?: AbortSignal): Promise<Response> {
  if ((allow as unknown) !== true) throw new DuctusError("model/hub-off", "Connections to the hub are turned off.", "Turn them on first; until then, drop a model's folder on the Models page.");
  signal?.throwIfAborted();
  const both = within ?? signal;
  try {
    return await fetchFn(url, { headers, credentials: "omit", referrerPolicy: "no-referrer", ...(both ? { signal: both } : {}) });
  } catch (cause) {
    signal?.throwIfAborted();
    // Whoever fetches may know better than that nothing arrived.
    throw cause instanceof DuctusError ? cause : offline(cause);
  }
}

export function offline(cause: unknown): DuctusError {
  return new DuctusError("model/offline", "The hub cannot be reached: there seems to be no connection.", "Check the connection and try again; what has arrived already is kept.", { cause });
}

/** What the hub's refusal means: codes `model/hub-denied`, `model/hub-missing`, `model/hub-busy`, `model/hub-fault`. */
export async function refused(response: Response, repo: string): Promise<DuctusError> {
  await response.body?.cancel().catch(() => undefined);
  const details = `${response.status} ${response.url}`;
  switch (response.status) {
    case 401:
    case 403:
      return new DuctusError("model/hub-denied", `The hub does not give ${repo} to everybody: there is no such model, or one must sign in and accept its terms first.`, "Check the name. Or download it yourself where you are signed in, and drop its folder on the Models page.", { details });
    case 404:
    case 410:
      return new DuctusError("model/hub-missing", `The hub has no model ${repo}, or not this version of it.`, "Check the name: owner/name, with its capital letters.", { details });
    case 429: {
      const seconds = Number(response.headers.get("retry-after"));
      const wait = seconds > 0 && seconds <= 86_400 ? `in ${Math.ceil(seconds / 60)} minutes` : "in a few minutes";
      return new DuctusError("model/hub-busy", "The hub has had too many requests from here.", `Try again ${wait}; what has arrived already is kept.`, { details });
    }
    default:
      return new DuctusError("model/hub-fault", `The hub has a fault of its own (it answered ${response.status}).`, "Try again later; what has arrived already is kept.", { details });
  }
}

async function readJsonBody(response: Response, signal: AbortSignal | undefined): Promise<unknown> {
  const parts: string[] = [];
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let bytes = 0;
  const reader = response.body?.getReader();
  while (reader) {
    const step = await reader.read().catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw offline(cause);
    });
    if (step.done) break;
    bytes += step.value.byteLength;
    if (bytes > MAX_LISTING_BYTES) {
      await reader.cancel().catch(() => undefined);
      throw strangeAnswer("its list is endless");
    }
    try {
      parts.push(decoder.decode(step.value, { stream: true }));
    } catch {
      throw strangeAnswer("its list is no text");
    }
  }
  try {
    return JSON.parse(parts.join("") + decoder.decode()) as unknown;
  } catch {
    throw strangeAnswer("its list is not JSON");
  }
}

function strangeAnswer(details: string): DuctusError {
  return new DuctusError("model/hub-answer", "The hub answered in a way that Ductus does not understand.", "Try again later, or drop the model's folder on the Models page.", { details });
}
