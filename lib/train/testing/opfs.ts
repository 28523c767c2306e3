/**
 * A directory of the origin private file system in memory, as far as Ductus
 * uses it: files, exclusive synchronous handles, a limit on all bytes. Node
 * only; never part of the product.
 */
interface Stored {
  bytes: Uint8Array;
  locked: boolean;
}

export interface MemoryDirectory {
  handle: FileSystemDirectoryHandle;
  /** Content by name, as it is now. */
  files: ReadonlyMap<string, { bytes: Uint8Array }>;
  /** All handles that were left open are gone, as after the end of a tab. */
  unlock(): void;
}

export function memoryDirectory(maxBytes = Infinity): MemoryDirectory {
  const files = new Map<string, Stored>();
  const room = () => maxBytes - [...files.values()].reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  const fileHandle = (name: string, file: Stored) => ({
    kind: "file",
    name,
    getFile: () => Promise.resolve(new Blob([file.bytes as BlobPart])),
    createSyncAccessHandle: () => {
      if (file.locked) return Promise.reject(new DOMException("locked", "NoModificationAllowedError"));
      file.locked = true;
      return Promise.resolve({
        getSize: () => file.bytes.byteLength,
        truncate: (size: number) => { file.bytes = file.bytes.slice(0, size); },
        write: (data: Uint8Array, { at }: { at: number }) => {
          const size = Math.max(file.bytes.byteLength, at + data.byteLength);
          if (size - file.bytes.byteLength > room()) throw new DOMException("full", "QuotaExceededError");
          const grown = new Uint8Array(size);
          grown.set(file.bytes);
          grown.set(data, at);
          file.bytes = grown;
          return data.byteLength;
        },
        read: (out: Uint8Array, { at }: { at: number }) => {
          const part = file.bytes.subarray(at, at + out.byteLength);
          out.set(part);
          return part.byteLength;
        },
        flush: () => {},
        close: () => { file.locked = false; },
      });
    },
  });
  const handle = {
    kind: "directory",
    getFileHandle: (name: string, { create = false } = {}) => {
      let file = files.get(name);
      if (!file && !create) return Promise.reject(new DOMException(name, "NotFoundError"));
      file ??= { bytes: new Uint8Array(0), locked: false };
      files.set(name, file);
      return Promise.resolve(fileHandle(name, file));
    },
    removeEntry: (name: string) => (files.delete(name) ? Promise.resolve() : Promise.reject(new DOMException(name, "NotFoundError"))),
    entries: async function* () {
      await Promise.resolve();
      for (const [name, file] of [...files]) yield [name, fileHandle(name, file)] as const;
    },
  };
  return { handle: handle as unknown as FileSystemDirectoryHandle, files, unlock: () => { for (const file of files.values()) file.locked = false; } };
}
