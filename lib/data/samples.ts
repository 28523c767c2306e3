/**
 * The sample writers that come with the app: invented people, whose pieces lie
 * as JSON under public/samples. Reads and checks such a file and turns its
 * pieces into documents. The texts were written for this project.
 */
import "../zod";
import * as z from "zod";
import { DuctusError } from "../core/errors";
import type { SourceDocument } from "./documents";
import { cleanText } from "./text";
import { countWords } from "./words";

/** Files public/samples/{id}.json. */
export const SAMPLE_IDS = ["allotment", "letters"] as const;
export type SampleId = (typeof SAMPLE_IDS)[number];

const sampleWriterSchema = z.strictObject({
  id: z.string().min(1),
  name: z.string().min(1),
  /** One or two sentences about the writer, for the page. */
  about: z.string().min(1),
  pieces: z.array(z.strictObject({ title: z.string().min(1), text: z.string().min(1) })).min(1),
});
export type SampleWriter = z.infer<typeof sampleWriterSchema>;

/** @throws DuctusError `data/sample` when the value is not a sample writer. */
export function parseSampleWriter(value: unknown): SampleWriter {
  const result = sampleWriterSchema.safeParse(value);
  if (result.success) return result.data;
  throw damaged(z.prettifyError(result.error));
}

/**
 * Fetches a sample writer of this site. @param base where public/ is served.
 * @throws DuctusError `data/sample`
 */
export async function loadSampleWriter(id: SampleId, base = ""): Promise<SampleWriter> {
  let value: unknown;
  try {
    const response = await fetch(`${base}/samples/${id}.json`);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    value = await response.json();
  } catch (cause) {
    throw new DuctusError("data/sample", "The sample writer could not be loaded.", "Check that the site is reachable, then reload the page.", { cause });
  }
  return parseSampleWriter(value);
}

function damaged(details: string): DuctusError {
  return new DuctusError("data/sample", "The sample writer's file is damaged.", "Reload the page.", { details });
}

/** A document for each piece, named by its title. */
export function sampleDocuments(sample: SampleWriter): SourceDocument[] {
  return sample.pieces.map(({ title, text }) => {
    const clean = cleanText(text);
    return { name: title, text: clean, words: countWords(clean) };
  });
}
