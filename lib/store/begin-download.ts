/**
 * Begins the folder of a download (downloads.ts), or goes on with it. For
 * workers: the synchronous handles are what every browser with such a file
 * system has.
 */
import { DuctusError } from "../core/errors";
import type { HubFile, HubListing } from "../train/model/hub";
import { DOWNLOAD_NOTE, downloadFault, downloadsRoot, folderOf, readDownloadNote } from "./downloads";

/** The folder of a download that is begun or gone on with. @throws DuctusError `store/…` */
export async function beginDownload(listing: HubListing, files: readonly HubFile[]): Promise<FileSystemDirectoryHandle> {
  try {
    const top = await downloadsRoot(true);
    if (top === null) throw new DuctusError("store/no-files", "This browser gives this page no place for large files, so nothing can be downloaded here. Private windows and pages without https are often refused one.", "Open the page over https, or on this machine itself, in an ordinary window.");
    const directory = await top.getDirectoryHandle(folderOf(listing.repo), { create: true });
    // One that is there already stands: where the disk is full, writing it anew would lose it.
    if ((await readDownloadNote(directory)) === null) await writeNote(directory, { ...listing, licence: listing.licence?.slice(0, 200) ?? null, files: [...files] });
    return directory;
  } catch (error) {
    throw downloadFault(error);
  }
}

/** Exported for its test. */
export async function writeNote(directory: FileSystemDirectoryHandle, listing: HubListing): Promise<void> {
  const handle = await (await directory.getFileHandle(DOWNLOAD_NOTE, { create: true })).createSyncAccessHandle();
  try {
    const bytes = new TextEncoder().encode(JSON.stringify(listing));
    handle.truncate(0);
    if (handle.write(bytes, { at: 0 }) !== bytes.byteLength) throw new DOMException("written short", "QuotaExceededError");
    handle.flush();
  } finally {
    handle.close();
  }
}
