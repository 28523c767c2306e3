/**
 * What the page for downloads and its worker say to one another: types only, as
 * protocol.ts has them for the workers that train and write. The page asks the
 * hub, since its answer alone has the policy that lets it; the worker says what
 * to ask for, checks what comes, and writes it down.
 */
import type { Storage } from "../lib/train/model/held";

/** A model as the hub lists it, before anything but its config.json has been fetched. */
export interface HubOutlook {
  /** `owner/name` */
  repo: string;
  licence: string | null;
  family: string;
  parameters: number;
  /** Of the files that are needed. */
  downloadBytes: number;
  /** The form that suits this device, what the model takes in memory then, and what is to be said against it. */
  recommended: Storage;
  weightBytes: number;
  warning?: string;
}

export interface DownloadProgress {
  doneBytes: number;
  totalBytes: number;
  /** Null until it can be estimated. */
  remainingMs: number | null;
}

/** Without the body, which is asked for piece by piece. */
export interface HubAnswer {
  status: number;
  /** After redirections. */
  url: string;
  headers: [name: string, value: string][];
}

/** What the page does for the worker: requests to the hub, which are numbered by the worker. */
export interface HubConnections {
  /** A GET of one of the hub's addresses, with no account and no cookie. @throws DuctusError `model/hub-…`; TypeError where nothing arrives */
  ask(id: number, url: string, headers: Record<string, string>): Promise<HubAnswer>;
  /** The next piece of an answer; null at its end. */
  more(id: number): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Ends a request, whole or not. */
  leave(id: number): void;
}

export interface HubApi {
  /**
   * Asks the hub for a model's list of files and its config.json.
   * @throws DuctusError `model/repo-name`, `model/hub-…`, `model/offline`, `model/unsupported`, `model/missing-file`, …
   */
  lookUp(name: string, connections: HubConnections): Promise<HubOutlook>;
  /**
   * Downloads what was looked up, or goes on with what was begun. One at a time.
   * @returns whether it is whole; false where it was stopped
   * @throws DuctusError `store/full`, `store/busy`, `model/corrupt`, `model/offline`, `model/hub-…`
   */
  download(repo: string, connections: HubConnections, onProgress: (progress: DownloadProgress) => void): Promise<boolean>;
  stop(): void;
}
