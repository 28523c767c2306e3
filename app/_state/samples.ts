/** The sample writers that come with the site: where they lie, and what is believed of their files. */
import { DuctusError } from "../../lib/core/errors";

export const SAMPLE_IDS = ["allotment", "letters"] as const;

export interface Sample {
  id: string;
  name: string;
  /** Who this is, in a sentence. */
  about: string;
  pieces: { title: string; text: string }[];
}

const known = new Map<string, Sample>();

/** Fetched once a visit. @throws DuctusError `file/sample` when it cannot be fetched or is not what it should be */
export async function readSample(id: string): Promise<Sample> {
  const before = known.get(id);
  if (before !== undefined) return before;
  let value: unknown;
  try {
    const response = await fetch(`/samples/${encodeURIComponent(id)}.json`);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    value = await response.json();
  } catch (cause) {
    throw new DuctusError("file/sample", "The sample writer could not be fetched.", "Check the connection and try again, or drop in a text of your own.", { cause });
  }
  if (!isSample(value)) throw new DuctusError("file/sample", "The sample writer's file is damaged.", "Reload the page, or drop in a text of your own.");
  known.set(id, value);
  return value;
}

function isSample(value: unknown): value is Sample {
  if (typeof value !== "object" || value === null) return false;
  const { id, name, about, pieces } = value as Record<string, unknown>;
  return typeof id === "string" && typeof name === "string" && typeof about === "string" && Array.isArray(pieces) && pieces.length > 0 && pieces.every((piece: unknown) => typeof piece === "object" && piece !== null && typeof (piece as Record<string, unknown>).title === "string" && typeof (piece as Record<string, unknown>).text === "string");
}
