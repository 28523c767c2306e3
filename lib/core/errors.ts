/**
 * The one error type of the house. An error carries a stable code, what
 * happened in plain words, and what the person can do next, so that every
 * screen can show it without inventing text. It is not a log record: technical
 * particulars go into `details`, which the interface folds away.
 */

/** `area/what`: the area names the part of the product, the rest the fault. */
export type ErrorCode = `${"file" | "data" | "model" | "adapter" | "device" | "graph" | "train" | "generate" | "store" | "app"}/${string}`;

/** What crosses the worker boundary and is stored with a failed run. */
export interface SerializedError {
  code: ErrorCode;
  /** What happened, one or two sentences. */
  message: string;
  /** What to do next, in the imperative; may be empty where nothing helps. */
  next: string;
  /** Technical particulars for a bug report. */
  details?: string;
}

export class DuctusError extends Error {
  readonly code: ErrorCode;
  readonly next: string;
  readonly details?: string;

  constructor(code: ErrorCode, message: string, next = "", options: { details?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DuctusError";
    this.code = code;
    this.next = next;
    const details = options.details ?? (options.cause === undefined ? undefined : describe(options.cause));
    if (details !== undefined) this.details = details;
  }

  serialize(): SerializedError {
    return { code: this.code, message: this.message, next: this.next, ...(this.details ? { details: this.details } : {}) };
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}

/** Turns anything thrown into the serialised form; unknown faults get `app/unexpected`. */
export function serializeError(error: unknown): SerializedError {
  if (error instanceof DuctusError) return error.serialize();
  const text = error instanceof Error ? error.message : "";
  for (const { says, ...known } of OF_THE_BROWSER) if (says.test(text)) return { ...known, details: describe(error) };
  return {
    code: "app/unexpected",
    message: "Something went wrong that was not foreseen. Your writing and finished runs are safe.",
    next: "Reload the page and try again. If it happens again, copy the details into a bug report.",
    details: error instanceof Error ? (error.stack ?? describe(error)) : String(error),
  };
}

/** Faults that can be foreseen anywhere, and that browsers tell apart by their words alone. */
const OF_THE_BROWSER: readonly (SerializedError & { says: RegExp })[] = [
  {
    says: /allocation failed|out of memory|allocation size overflow|could not allocate/i,
    code: "device/memory",
    message: "There was not enough memory for this. Your writing and what was stored are safe.",
    next: "Close other tabs and programs and try again; with a model of your own, choose a smaller one, or fewer bits.",
  },
  {
    says: /dynamically imported module|importing a module script failed|loading (css )?chunk|failed to load chunk/i,
    code: "app/not-loaded",
    message: "A part of this page could not be loaded. Your writing and what was stored are safe.",
    next: "Check the connection, reload the page and try again.",
  },
];

/** The inverse of {@link serializeError}, for the receiving side. */
export function deserializeError(error: SerializedError): DuctusError {
  return new DuctusError(error.code, error.message, error.next, error.details === undefined ? {} : { details: error.details });
}

/** Throws `graph/…`-like internal faults: a broken promise of the code, not of the person. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new DuctusError("app/invariant", `Internal check failed: ${message}`, "Reload the page. If it happens again, report this with its details.");
}
