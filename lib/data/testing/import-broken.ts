/**
 * Imports with a fault each, to see that the suite of damaged files finds it:
 * what it looks for is not there by chance. Never part of the product.
 */
import { importFiles, type ImportEvent, type InputFile } from "../import/import";
import type { Import } from "./import-fuzz";

const END: ImportEvent = { type: "progress", name: "", filesDone: 1, bytesDone: 0 };

async function* asText(files: InputFile[], decode: (bytes: Uint8Array) => string): AsyncGenerator<ImportEvent> {
  for (const file of files) {
    const text = decode(await file.read());
    yield { type: "document", document: { name: "a", text, words: 1, format: "text", source: "a" } };
  }
  yield END;
}

async function* refusing(files: InputFile[], message: string, next: string): AsyncGenerator<ImportEvent> {
  for (const _ of files) yield { type: "fault", name: "a", source: "a", error: { code: "file/damaged", message, next } };
  yield END;
}

async function* changed(files: InputFile[], change: (event: ImportEvent) => ImportEvent | null): AsyncGenerator<ImportEvent> {
  for await (const event of importFiles(files)) {
    const other = change(event);
    if (other !== null) yield other;
  }
}

export const BROKEN = {
  /** Bytes as letters. */
  "reads anything as Latin-1": (files) => asText(files, (bytes) => new TextDecoder("latin1").decode(bytes)),
  "loses the last words": (files) => changed(files, (event) => (event.type === "document" ? { ...event, document: { ...event.document, text: event.document.text.slice(0, -20) } } : event)),
  "lets markup through": (files) => changed(files, (event) => (event.type === "document" ? { ...event, document: { ...event.document, text: event.document.text.replace(/ /g, ' <span class="c1"> ') } } : event)),
  "says nothing": (files) => changed(files, (event) => (event.type === "progress" ? event : null)),
  "never ends its report": (files) => changed(files, (event) => (event.type === "progress" && event.name === "" ? null : event)),
  "throws": () => {
    throw new TypeError("x is not a function");
  },
  "shows a library's message": (files) => refusing(files, "Cannot read properties of undefined (reading 'length')", "Choose another file."),
  "gives no next step": (files) => refusing(files, "“a” is damaged.", ""),
  "computes for ever": () => {
    for (;;);
  },
  "takes all memory": () => {
    const held: Uint8Array[] = [];
    for (;;) held.push(new Uint8Array(50_000_000).fill(1));
  },
  "fills the heap": () => {
    const held: string[][] = [];
    for (;;) held.push(Array.from({ length: 100_000 }, (_, i) => `${held.length} ${i}`));
  },
} as const satisfies Record<string, Import>;

export type BrokenName = keyof typeof BROKEN;
