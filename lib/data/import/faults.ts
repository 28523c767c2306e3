/** What several readers say of a file that they cannot read, in the same words. */
import { DuctusError } from "../../core/errors";

/** @param fault after a colon: "its end is missing" */
export function damagedFile(name: string, fault: string, options: { details?: string; cause?: unknown } = {}): DuctusError {
  return new DuctusError("file/damaged", `“${name}” is damaged: ${fault}.`, "Copy or save it again from where it came, and drop that in.", options);
}

export function encryptedFile(name: string): DuctusError {
  return new DuctusError("file/encrypted", `“${name}” is protected by a password.`, "Open it with its password, save it without one, and drop that in.");
}

export function emptyFile(name: string): DuctusError {
  return new DuctusError("file/empty", `“${name}” has no words in it.`, "Choose a file with writing in it.");
}
