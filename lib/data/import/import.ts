/**
 * From files to documents: each file is recognised, unpacked where it is an
 * archive, read by its format's reader, cleaned, and parted into documents; what
 * is left out is said with its reason, and a file that cannot be read costs none
 * of the others. One file after another, and one entry of an archive after
 * another, so that memory holds one of them and the texts. It stores nothing and
 * does not judge the writing: that is `inspect`'s.
 */
import { DuctusError, serializeError, type SerializedError } from "../../core/errors";
import { documentsOf, sameTextReason, splitPieces, tidyName, withoutEnding, type LeftOut, type SourceDocument } from "../documents";
import { cleanParagraphs, cleanPlain } from "../text";
import type { Archive } from "./archive";
import { FileBudget, LIMITS, type ImportLimits } from "./budget";
import { emptyFile } from "./faults";
import { isSystemPath, tidyPath } from "./paths";
import { createPause } from "./pause";
import { readerOf, type ReadableFormat } from "./readers";
import { recognise } from "./recognise";
import { SeenTexts } from "./seen";
import type { Extract, FormatName } from "./types";

export interface InputFile {
  /** Its name, with the folders that it was dropped with: "notes/2024/march.txt". */
  path: string;
  /** Its size. */
  bytes: number;
  /** All of it; called once, and only when its turn has come. */
  read(): Promise<Uint8Array>;
}

export interface ImportedDocument extends SourceDocument {
  format: FormatName;
  /** The file it came from; in an archive, the archive's name comes first: "notes.zip/2024/march.txt". */
  source: string;
}

export type ImportEvent =
  | { type: "document"; document: ImportedDocument }
  /** Not used, and why; `document` where there is a text that could be used all the same. */
  | ({ type: "left-out"; source: string; document?: ImportedDocument } & LeftOut)
  /** A file, or an entry of an archive, that could not be read. */
  | { type: "fault"; name: string; source: string; error: SerializedError }
  /** A file was read, an entry of an archive too. */
  | { type: "file"; source: string; format: ReadableFormat; documents: number; unwrapped: boolean }
  /** About four a second, and once at the end. `name` is what is being read; "" at the end. */
  | { type: "progress"; name: string; filesDone: number; bytesDone: number };

export interface ImportOptions {
  signal?: AbortSignal;
  /** What is there already: the same text is not taken again. */
  existing?: Iterable<{ name: string; text: string }>;
  /**
   * Sees every document before it is given out: it may change it (signatures taken off), or leave it out with a
   * reason (nearly the same as another, another language). One at a time, in order.
   */
  inspect?: (document: ImportedDocument) => Inspection | Promise<Inspection>;
  limits?: Partial<ImportLimits>;
}

export type Inspection = { document: ImportedDocument } | { reason: string };

const PROGRESS_MS = 250;
/** A zip in a zip is opened, and no more than that. */
const MAX_ZIPS = 2;

/** @throws the signal's reason, and nothing else but what `files` and `inspect` throw */
export async function* importFiles(files: Iterable<InputFile> | AsyncIterable<InputFile>, options: ImportOptions = {}): AsyncGenerator<ImportEvent, void, undefined> {
  const run = new Import(options);
  for (const { name, text } of options.existing ?? []) await run.seen.add(name, text);
  for await (const file of files) {
    yield* run.takeFile(file);
    if (run.isFull) break;
  }
  yield* run.end();
}

/** A file, or an entry of an archive, on its way. */
interface Item {
  bytes: Uint8Array;
  /** As it is shown. */
  name: string;
  source: string;
  budget: FileBudget;
  /** Archives that it is in. */
  zips: number;
}

class Import {
  isFull = false;
  readonly seen = new SeenTexts();
  private readonly limits: ImportLimits;
  private readonly signal: AbortSignal;
  private readonly pause: () => Promise<void>;
  private readonly inspect: (document: ImportedDocument) => Inspection | Promise<Inspection>;
  private chars = 0;
  private documents = 0;
  private passedOver = 0;
  private filesDone = 0;
  private bytesDone = 0;
  private saidAt = -Infinity;

  constructor({ signal, inspect, limits }: ImportOptions) {
    this.limits = { ...LIMITS, ...limits };
    this.signal = signal ?? new AbortController().signal;
    this.pause = createPause(this.signal);
    this.inspect = inspect ?? ((document) => ({ document }));
  }

  async *takeFile(file: InputFile): AsyncGenerator<ImportEvent, void, undefined> {
    await this.pause();
    if (/[\\/]/.test(file.path) && isSystemPath(file.path)) this.passedOver++;
    else {
      const name = tidyPath(file.path);
      yield* this.progress(name);
      try {
        const bytes = await this.bytesOf(file, name);
        yield* this.takeItem({ bytes, name, source: name, budget: new FileBudget(name, bytes.length, this.limits), zips: 0 });
      } catch (error) {
        yield this.fault(error, name, name);
      }
    }
    this.filesDone++;
    this.bytesDone += file.bytes;
  }

  async *end(): AsyncGenerator<ImportEvent, void, undefined> {
    if (this.passedOver > 0) {
      const reason = `${this.passedOver === 1 ? "One file was" : `${this.passedOver.toLocaleString("en")} files were`} not looked at: hidden, or put there by a system or a program (such as .DS_Store, __MACOSX or node_modules).`;
      yield { type: "left-out", name: "Hidden and system files", source: "", reason };
    }
    yield { type: "progress", name: "", filesDone: this.filesDone, bytesDone: this.bytesDone };
  }

  private async bytesOf(file: InputFile, name: string): Promise<Uint8Array> {
    if (file.bytes > this.limits.maxFileBytes) throw new DuctusError("file/too-large", `“${name}” is larger than ${Math.round(this.limits.maxFileBytes / 1048576)} MB.`, "Choose a part of it.");
    try {
      return await file.read();
    } catch (cause) {
      if (cause instanceof DuctusError) throw cause;
      throw new DuctusError("file/unreadable", `“${name}” could not be opened; it may be a folder, or have been moved.`, "Choose the file again.", { cause });
    }
  }

  private async *takeItem(item: Item): AsyncGenerator<ImportEvent, void, undefined> {
    const { bytes, name, source, budget } = item;
    if (bytes.length === 0) throw emptyFile(name);
    // A name that changes with the entry that is read, so that an error names the entry.
    const context = { name, budget, signal: this.signal };
    let opened: Archive | null = null;
    const open = async (): Promise<Archive> => (opened ??= (await import("./archive")).openArchive(bytes, context));
    const format = await recognise(bytes, name, open);
    if (format === "zip") yield* this.takeArchive(await open(), context, item);
    else {
      const { extracts, leftOut } = await (await readerOf(format))(bytes, { name, budget, signal: this.signal });
      await this.pause();
      for (const { name: piece, reason } of leftOut) yield { type: "left-out", name: tidyName(piece) || name, reason, source };
      if (extracts.length === 0 && leftOut.length === 0) throw emptyFile(name);
      yield* this.takeExtracts(extracts, format, item);
    }
  }

  private async *takeArchive(archive: Archive, context: { name: string }, { bytes, name, source, budget, zips }: Item): AsyncGenerator<ImportEvent, void, undefined> {
    if (zips === MAX_ZIPS) throw new DuctusError("file/too-deep", `“${name}” is an archive in an archive in an archive.`, "Unpack it, and drop in the files.");
    if (archive.entries.length === 0) throw emptyFile(name);
    const begun = this.bytesDone;
    const share = zips === 0 ? bytes.length / archive.entries.length : 0;
    for (const [i, { path }] of archive.entries.entries()) {
      if (this.isFull) break;
      await this.pause();
      if (isSystemPath(path)) {
        this.passedOver++;
        continue;
      }
      const entry = tidyPath(path);
      this.bytesDone = begun + share * i;
      yield* this.progress(entry);
      try {
        context.name = entry;
        const content = await archive.read(path);
        yield* this.takeItem({ bytes: content, name: entry, source: `${source}/${entry}`, budget: budget.inside(entry, content.length), zips: zips + 1 });
      } catch (error) {
        yield this.fault(error, entry, `${source}/${entry}`);
      }
    }
    this.bytesDone = begun;
  }

  private async *takeExtracts(extracts: readonly Extract[], format: ReadableFormat, { name, source }: Item): AsyncGenerator<ImportEvent, void, undefined> {
    const base = withoutEnding(name);
    let given = 0, unwrapped = false;
    for (const [i, extract] of extracts.entries()) {
      const own = tidyName(extract.name ?? "") || (extracts.length === 1 ? base : `${base}, piece ${i + 1}`);
      let found: ReturnType<typeof documentsOf>;
      try {
        const text = extract.text.replace(/\p{Cs}/gu, ""); // halves of characters, which no encoding can write
        const clean = extract.form === "plain" ? cleanPlain(text, name) : cleanParagraphs(text, name);
        unwrapped ||= clean.unwrapped;
        found = documentsOf(own, extract.form === "plain" ? splitPieces(clean.text) : [clean.text]);
      } catch (error) {
        // Of several pieces, one without words or of messages is left out by itself.
        if (!(error instanceof DuctusError) || extracts.length === 1) throw error;
        yield { type: "left-out", name: own, source, reason: reasonOf(error, name) };
        continue;
      }
      await this.pause();
      for (const { name: piece, reason } of found.leftOut) yield { type: "left-out", name: piece, source, reason };
      for (const document of found.documents) {
        const event = await this.takeDocument({ ...document, ...(extract.encoding === undefined ? {} : { encoding: extract.encoding }), format, source });
        if (event === null) return;
        if (event.type === "document") given++;
        yield event;
      }
    }
    yield { type: "file", source, format, documents: given, unwrapped };
  }

  /** @throws DuctusError where there is no room for more */
  private async takeDocument(document: ImportedDocument): Promise<ImportEvent | null> {
    if (this.isFull) return null;
    if (this.chars + document.text.length > this.limits.maxTextChars || this.documents === this.limits.maxDocuments) {
      this.isFull = true;
      throw new DuctusError("file/too-large", "There is more writing here than this version holds. From this file on, nothing was taken.", "Choose a part of your writing.");
    }
    const twin = await this.seen.add(document.name, document.text);
    await this.pause();
    if (twin !== undefined) return { type: "left-out", name: document.name, source: document.source, reason: sameTextReason(twin), document };
    const inspection = await this.inspect(document);
    if ("reason" in inspection) return { type: "left-out", name: document.name, source: document.source, reason: inspection.reason, document };
    this.chars += inspection.document.text.length;
    this.documents++;
    return { type: "document", document: inspection.document };
  }

  private *progress(name: string): Generator<ImportEvent> {
    const now = performance.now();
    if (now - this.saidAt < PROGRESS_MS) return;
    this.saidAt = now;
    yield { type: "progress", name, filesDone: this.filesDone, bytesDone: this.bytesDone };
  }

  /** A conversation is set aside; all else that is thrown is a fault of the file. @throws the signal's reason */
  private fault(error: unknown, name: string, source: string): ImportEvent {
    this.signal.throwIfAborted();
    if (error instanceof DuctusError && error.code === "file/chat") return { type: "left-out", name, source, reason: reasonOf(error, name) };
    const known = serializeError(error);
    const unknown = new DuctusError("file/damaged", `“${name}” could not be read: it is damaged, or made in a way that this version does not know.`, "Save it again in the program that made it, or as plain text (.txt), and drop that in.", { cause: error });
    return { type: "fault", name, source, error: known.code === "app/unexpected" ? unknown.serialize() : known };
  }
}

/** An error's words as the reason why something that is named beside them was left out. */
function reasonOf(error: DuctusError, name: string): string {
  const named = `“${name}” `;
  return error.message.startsWith(named) ? `It ${error.message.slice(named.length)}` : error.message;
}
