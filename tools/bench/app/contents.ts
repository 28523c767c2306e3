/**
 * What IndexedDB holds, read past the app's own code, on a page that has none of
 * it: every record of every store, bytes as their length and hash. A page that
 * opens the app would set right what it finds; this does not.
 */
import type { BrowserContext } from "@playwright/test";

/** Bytes of a record. `payload`: the hash of what follows the head of a safetensors file, which has a date in it; absent where it is none. */
export interface Bytes {
  bytes: number;
  sha256: string;
  payload?: string;
}

export type StoredRecord = Readonly<Record<string, unknown>>;
export interface Entry {
  /** As JSON. */
  key: string;
  value: StoredRecord;
}
export type Contents = Readonly<Record<string, readonly Entry[]>>;

const PAGE_TIMEOUT_MS = 120_000;

/** Of the context's site, in a tab of its own. A database that is not there has no stores. */
export async function contentsOf(context: BrowserContext, address: string): Promise<Contents> {
  const page = await context.newPage();
  try {
    await page.goto(`${address}/theme.js`, { timeout: PAGE_TIMEOUT_MS }); // shown as text
    return await page.evaluate(async () => {
      // Opening what is not there would make it, empty.
      if (!(await indexedDB.databases()).some(({ name }) => name === "ductus")) return {};
      const settled = <T>(request: IDBRequest<T>): Promise<T> =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error ?? new Error("The database refused."));
        });
      const hex = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      const shown = async (bytes: Uint8Array<ArrayBuffer>): Promise<Bytes> => {
        const head = bytes.length > 8 ? 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) : bytes.length;
        return { bytes: bytes.length, sha256: await hex(bytes), ...(head < bytes.length ? { payload: await hex(bytes.slice(head)) } : {}) };
      };
      const database = await settled(indexedDB.open("ductus"));
      const all: Record<string, Entry[]> = {};
      const names = [...database.objectStoreNames];
      if (names.length > 0) {
        const transaction = database.transaction(names);
        const read = await Promise.all(names.map(async (name) => {
          const store = transaction.objectStore(name);
          return [name, await settled(store.getAllKeys()), await settled(store.getAll() as IDBRequest<unknown[]>)] as const;
        }));
        for (const [name, keys, values] of read) {
          all[name] = [];
          for (const [i, value] of values.entries()) {
            const fields = Object.entries(typeof value === "object" && value !== null ? value : { value }) as [string, unknown][];
            const plain: [string, unknown][] = [];
            for (const [field, content] of fields) plain.push([field, content instanceof Uint8Array ? await shown(content as Uint8Array<ArrayBuffer>) : content]);
            all[name].push({ key: JSON.stringify(keys[i]), value: Object.fromEntries(plain) });
          }
        }
      }
      database.close();
      return all;
    });
  } finally {
    await page.close();
  }
}
