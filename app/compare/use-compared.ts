"use client";
/** The report on adapters that were measured, read again whenever the hand's adapters or its writing have changed. */
import { useEffect, useState } from "react";
import { serializeError, type SerializedError } from "../../lib/core/errors";
import { measuredAmong } from "../../lib/store/measurements";
import type { Compared } from "../../workers/protocol";
import { compareReport } from "../_engine/writer";

export interface Reading {
  /** Null: this adapter has not been measured. */
  compared: Compared | null;
  error: SerializedError | null;
  /** Of the hand's adapters, those that have been. */
  measured: readonly string[];
}

/** @param stamp another object whenever what the report depends on may have changed. @returns null while it is read */
export function useCompared(handId: string, adapterIds: readonly string[], all: readonly string[], stamp: object): Reading | null {
  const [reading, setReading] = useState<{ of: string | undefined; result: Reading } | null>(null);
  const wanted = JSON.stringify(adapterIds), among = JSON.stringify(all);
  useEffect(() => {
    let gone = false;
    const ids = JSON.parse(wanted) as string[];
    const read = async (): Promise<Reading> => {
      const measured = await measuredAmong(JSON.parse(among) as string[]);
      return { compared: measured.includes(ids[0] ?? "") ? await compareReport(handId, ids) : null, error: null, measured };
    };
    read().catch((error: unknown): Reading => ({ compared: null, error: serializeError(error), measured: [] })).then((result) => { if (!gone) setReading({ of: ids[0], result }); }, () => undefined);
    return () => { gone = true; };
  }, [handId, wanted, among, stamp]);
  // While another set is read, the one before stays, if it is of the same adapter.
  return reading !== null && reading.of === adapterIds[0] ? reading.result : null;
}
