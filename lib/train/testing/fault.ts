/** For tests of refusals: the plain error that a piece of work ends with. Never part of the product. */
import { DuctusError } from "../../core/errors";

/** @throws Error where the work succeeds, and what it throws where that is no DuctusError */
export function fault(action: () => unknown): DuctusError {
  try {
    action();
  } catch (error) {
    if (error instanceof DuctusError) return error;
    throw error;
  }
  throw new Error("was accepted");
}
