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
 * Fetches a sample writer of this site, once a visit.
 * @throws DuctusError `data/sample`
 */
export async function loadSampleWriter(id: SampleId): Promise<SampleWriter> {
  const before = known.get(id);
  if (before !== undefined) return before;
  let value: unknown;
  try {
    const response = await fetch(`/samples/${id}.json`);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    value = await response.json();
  } catch (cause) {
    throw new DuctusError("data/sample", "The sample writer could not be fetched.", "Check the connection and try again, or drop in a text of your own.", { cause });
  }
  const sample = parseSampleWriter(value);
  known.set(id, sample);
  return sample;
}

const known = new Map<SampleId, SampleWriter>();

function damaged(details: string): DuctusError {
  return new DuctusError("data/sample", "The sample writer's file is damaged.", "Reload the page, or drop in a text of your own.", { details });
}

/** A document for each piece, named by its title. */
export function sampleDocuments(sample: SampleWriter): SourceDocument[] {
  return sample.pieces.map(({ title, text }) => {
    const clean = cleanText(text);
    return { name: title, text: clean, words: countWords(clean) };
  });
}
