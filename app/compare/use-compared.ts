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
  const [reading, setReading] = useState<{ key: string; result: Reading } | null>(null);
  const wanted = adapterIds.join(" "), among = all.join(" ");
  useEffect(() => {
    let gone = false;
    const read = async (): Promise<Reading> => {
      const measured = await measuredAmong(among.split(" "));
      if (!measured.includes(wanted.split(" ")[0] ?? "")) return { compared: null, error: null, measured };
      return { compared: await compareReport(handId, wanted.split(" ")), error: null, measured };
    };
    read().catch((error: unknown): Reading => ({ compared: null, error: serializeError(error), measured: [] })).then((result) => { if (!gone) setReading({ key: wanted, result }); }, () => undefined);
    return () => { gone = true; };
  }, [handId, wanted, among, stamp]);
  // While another set is read, the one before stays, if it is of the same adapter.
  return reading !== null && reading.key.split(" ")[0] === adapterIds[0] ? reading.result : null;
}
