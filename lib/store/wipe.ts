/**
 * Deletes all that this site keeps in the browser: the database, the files of
 * models, and the caches. The choice of colours (localStorage) stays, and so
 * does the service worker, which fills its cache again at the next visit.
 */
import { deleteEverything } from "./hands";
import { emptyFileSystem } from "./model-files";

const PREFIX = "ductus-";

/** The database comes last: where something before it fails, the lists still say what is there. @throws DuctusError `store/…` */
export async function wipe(): Promise<void> {
  await emptyFileSystem();
  await emptyCaches();
  await deleteEverything();
}

async function emptyCaches(): Promise<void> {
  if (typeof caches === "undefined") return;
  // Some private windows have caches and refuse them; then nothing lies there.
  const names = await caches.keys().catch(() => []);
  for (const name of names) if (name.startsWith(PREFIX)) await caches.delete(name);
}
