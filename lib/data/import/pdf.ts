/**
 * PDF, by unpdf (pdf.js in one file, which runs its own worker's code where it
 * is called): the text of the pages with its places, made into lines and
 * paragraphs by pdf-lines.ts, pdf-heads.ts and pdf-paragraphs.ts. Nothing is
 * drawn or fetched, and nothing in the document is run. Scans have no text to
 * read and are refused in words. What is packed is measured first (pdf-guard.ts).
 */
import { DuctusError } from "../../core/errors";
import { damagedFile, encryptedFile } from "./faults";
import { findBytes } from "./pdf-bytes";
import { measureStreams } from "./pdf-guard";
import { withoutHeads, withoutNotes } from "./pdf-heads";
import { commonSize, linesOf, type PdfLine, type PdfPage, type PdfRun } from "./pdf-lines";
import { paragraphsOf } from "./pdf-paragraphs";
import { createPause } from "./pause";
import type { Reader, Reading, ReaderContext } from "./types";

const MAX_PAGES = 10_000;
/** Of one page; a page of a book has some hundred. */
const MAX_RUNS = 50_000;
/** Letters of all pages. */
const MAX_CHARS = 64 * 1024 * 1024;
/** For all pages; looked at between pages and between parts of a page. */
const MAX_SECONDS = 300;
/** With a larger share of letters that the file does not say, its text would be read wrongly. */
const MAX_BAD_SHARE = 0.02;

/** What is used of pdf.js. */
interface Pdf {
  numPages: number;
  getPage(number: number): Promise<{
    getViewport(options: { scale: number }): { width: number; height: number; transform: readonly number[] };
    streamTextContent(): ReadableStream<{ items: readonly Item[] }>;
    cleanup(): unknown;
  }>;
}
interface Item {
  str?: string;
  dir?: string;
  width?: number;
  transform?: readonly number[];
}

/** @throws DuctusError `file/damaged`, `file/encrypted`, `file/too-large`, `file/not-text`; the signal's reason */
export const readPdf: Reader = async (bytes, context): Promise<Reading> => {
  await measureStreams(bytes, findBytes(bytes, "/Encrypt", 0) >= 0, context);
  const { getDocument } = await loadPdfJs();
  context.signal.throwIfAborted();
  const task = getDocument({
    data: bytes.slice(), // pdf.js takes what it is given
    isEvalSupported: false,
    useWorkerFetch: false,
    useSystemFonts: false,
    disableFontFace: true,
    enableXfa: false,
    isOffscreenCanvasSupported: false,
    isImageDecoderSupported: false,
    useWasm: false,
    maxImageSize: 1,
    stopAtErrors: false,
    verbosity: 0,
  });
  try {
    return reading(await readPages(await task.promise, context), context);
  } catch (error) {
    if (error instanceof DuctusError || context.signal.aborted) throw error;
    if (error instanceof Error && error.name === "PasswordException") throw encryptedFile(context.name);
    throw damagedFile(context.name, "its pages cannot be found", { cause: error });
  } finally {
    await task.destroy().catch(() => undefined);
  }
};

/**
 * In a worker, pdf.js takes itself for its own worker, writes to whoever started
 * it ("ready") and listens to what they send; not so where there is a `window`.
 */
async function loadPdfJs() {
  const scope = globalThis as { window?: unknown };
  const isWorker = scope.window === undefined && "onmessage" in globalThis;
  if (isWorker) scope.window = globalThis;
  try {
    return await (await import("unpdf")).getResolvedPDFJS();
  } finally {
    if (isWorker) delete scope.window;
  }
}

async function readPages(pdf: Pdf, { name, signal }: ReaderContext): Promise<(PdfPage | null)[]> {
  const tooLarge = (what: string) => new DuctusError("file/too-large", `“${name}” has ${what}.`, "Save the part with your writing as a PDF of its own, and drop that in.");
  if (pdf.numPages > MAX_PAGES) throw tooLarge(`more than ${MAX_PAGES.toLocaleString("en")} pages`);
  const deadline = performance.now() + 1000 * MAX_SECONDS;
  const pause = createPause(signal);
  const pages: (PdfPage | null)[] = [];
  let chars = 0;
  for (let number = 1; number <= pdf.numPages; number++) {
    await pause();
    try {
      const page = await pdf.getPage(number);
      const viewport = page.getViewport({ scale: 1 });
      const runs: PdfRun[] = [];
      const reader = page.streamTextContent().getReader();
      try {
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
          for (const item of part.value.items) {
            const run = runOf(item, viewport.transform);
            if (run !== null) runs.push(run);
            chars += run?.text.length ?? 0;
          }
          if (runs.length > MAX_RUNS || chars > MAX_CHARS) throw tooLarge("more text than can be read here");
          if (performance.now() > deadline) throw tooLarge("pages that take too long to read");
          await pause();
        }
      } finally {
        await reader.cancel(new Error("read")).catch(() => undefined);
      }
      page.cleanup();
      pages.push({ width: viewport.width, height: viewport.height, runs });
    } catch (error) {
      if (error instanceof DuctusError || signal.aborted) throw error;
      pages.push(null); // a broken page takes no others with it
    }
  }
  return pages;
}

/** Text that stands upright on the page as it is shown; null for what is turned (stamps at the margin, watermarks), empty or broken. */
function runOf(item: Item, page: readonly number[]): PdfRun | null {
  const text = (item.str ?? "").replace(/[\ufb00-\ufb06]/g, (ligature) => ligature.normalize("NFKC"));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = item.transform ?? [];
  const [pa = 1, pb = 0, pc = 0, pd = -1, pe = 0, pf = 0] = page;
  const across = pa * a + pc * b, slant = pb * a + pd * b;
  const size = Math.hypot(pa * c + pc * d, pb * c + pd * d);
  const run = { text, x: pa * e + pc * f + pe, y: pb * e + pd * f + pf, width: item.width ?? 0, size, rightToLeft: item.dir === "rtl" };
  const isUpright = across > 0 && Math.abs(slant) < 0.05 * across;
  return text.trim() !== "" && isUpright && [run.x, run.y, run.width, run.size].every(Number.isFinite) ? run : null;
}

function reading(pages: readonly (PdfPage | null)[], { name }: ReaderContext): Reading {
  const lines = pages.map((page, i) => (page === null ? [] : linesOf(page, i)));
  const written = lines.filter((own) => own.length > 0).length;
  if (written === 0 || lines.flat().reduce((sum, line) => sum + line.text.length, 0) < Math.min(20, 2 * pages.length)) {
    throw new DuctusError("file/not-text", `“${name}” has pictures of pages, but no text in it. It may be a scan.`, "Have a scanning program recognise its text (OCR) and save that, or drop in the file that it was made from.");
  }
  const body = commonSize(lines.flat());
  const withNotes = withoutHeads(lines);
  const own = withNotes.map((page) => withoutNotes(page, body));
  const text = paragraphsOf(own);
  const bad = text.match(/[\p{Co}\p{Cn}\ufffd\u0000-\u0008\u000e-\u001f]/gu)?.length ?? 0;
  if (bad > MAX_BAD_SHARE * text.length) throw new DuctusError("file/not-text", `“${name}” does not say which letters its text has.`, "Drop in the file that it was made from, or have a scanning program recognise its text (OCR) and save that.");
  const leftOut: Reading["leftOut"] = [];
  const empty = pages.length - written;
  if (empty > 0) leftOut.push({ name, reason: empty === 1 ? "One of its pages has no text that can be read." : `${empty} of its pages have no text that can be read.` });
  if (count(own) < count(withNotes)) leftOut.push({ name, reason: "Notes at the foot of its pages were left out." });
  return { extracts: [{ name: null, text: text.replace(/[\p{Co}\p{Cn}\ufffd]/gu, ""), form: "paragraphs" }], leftOut };
}

const count = (pages: readonly (readonly PdfLine[])[]): number => pages.reduce((sum, lines) => sum + lines.length, 0);
