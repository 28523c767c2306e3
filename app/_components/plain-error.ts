/**
 * What a person reads of a fault. Faults that can be foreseen come in plain words
 * with what to do; broken promises of the code are worded for those who mend
 * them, and stand in the details instead.
 */
import { serializeError, type SerializedError } from "../../lib/core/errors";

/** Shapes, names, internal checks: nothing that a person has done or can change. */
const INTERNAL = /^(graph\/|app\/invariant$|generate\/(token|options|no-adapter)$|adapter\/tensors$|device\/released$)/;

export function plainError(error: unknown): SerializedError {
  const fault = isSerialized(error) ? error : serializeError(error);
  if (!INTERNAL.test(fault.code)) return fault;
  const { message, next } = serializeError(undefined);
  return { code: fault.code, message, next, details: [fault.message, fault.details].filter(Boolean).join("\n") };
}

function isSerialized(error: unknown): error is SerializedError {
  return typeof error === "object" && error !== null && !(error instanceof Error) && "code" in error && "message" in error && "next" in error;
}
