/**
 * A file on disk as a {@link ByteSource}: read where asked, never held whole.
 * It is opened anew for every piece, since a source has no end of life at which
 * it could be closed; pieces are megabytes.
 */
import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { DuctusError } from "../../lib/core/errors";
import type { ByteSource } from "../../lib/train/adapter/safetensors";

/** @throws DuctusError `file/unreadable`, on reading too; reading past the end gives fewer bytes, as a Blob does */
export async function openFileSource(path: string): Promise<ByteSource> {
  const guarded = <T>(work: Promise<T>): Promise<T> => work.catch((cause: unknown) => {
    throw new DuctusError("file/unreadable", `“${basename(path)}” cannot be read.`, "Check the path and its permissions.", { cause });
  });
  const { size } = await guarded(stat(path));
  return { size, read: (start, end) => guarded(readPiece(path, start, end)) };
}

async function readPiece(path: string, start: number, end: number): Promise<Uint8Array> {
  const handle = await open(path, "r");
  try {
    const bytes = new Uint8Array(end - start);
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) break; // the file became shorter
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  } finally {
    await handle.close();
  }
}
