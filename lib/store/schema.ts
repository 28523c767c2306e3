/**
 * Readers for what comes out of IndexedDB: a record of another version, or a
 * damaged one, must give a plain error and not a crash three calls later. The
 * shapes are those of types.ts; this file adds no meaning to them.
 */
import "../zod";
import * as z from "zod";
import { DuctusError, type ErrorCode, type SerializedError } from "../core/errors";
import { shareFault } from "../data/split";
import { sftConfigSchema } from "../train/sft/schema";
import type { AdapterReport, Conversation, DeviceReport, DocumentLook, ExecutionReport, Hand, Judging, KeptCheckpoint, Metric, Run, RunSample, Score, StoredAdapter, StoredCheckpoint, StoredDocument, StoredMeasurement, StoredModel, Turn } from "./types";

const count = z.number().int().nonnegative();
const time = z.number().nonnegative();
const id = z.string().min(1);
/** A loss may have run away to infinity or NaN; it is still a number to show. */
const anyNumber = z.custom<number>((value) => typeof value === "number", "expected a number");

const errorSchema: z.ZodType<SerializedError> = z.object({
  code: z.custom<ErrorCode>((value) => typeof value === "string" && /^[a-z]+\/./.test(value), "expected an error code"),
  message: z.string(),
  next: z.string(),
  details: z.string().exactOptional(),
});

const deviceSchema: z.ZodType<DeviceReport> = z.object({ kind: z.enum(["webgpu", "wasm", "node"]), threads: count, reason: z.string(), details: z.string().exactOptional() });

const storageSchema = z.enum(["f32", "f16", "q8", "q4"]);
const executionSchema: z.ZodType<ExecutionReport> = z.object({ kind: z.enum(["whole", "streamed"]), recompute: z.boolean(), storage: storageSchema });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const modelSchema: z.ZodType<StoredModel> = z.object({
  id: sha256,
  name: z.string().min(1).max(128),
  family: z.string().min(1).max(64),
  parameters: count,
  storage: storageSchema,
  fileBytes: count,
  weightBytes: count,
  licence: z.string().max(200).exactOptional(),
  addedAt: time,
  // A name in the file system: nothing that could lead elsewhere.
  folder: z.string().regex(/^[0-9a-f]{32}$/),
});

export const handSchema: z.ZodType<Hand> = z.object({
  id,
  name: z.string(),
  source: z.enum(["sample", "own"]),
  sampleId: z.string().exactOptional(),
  createdAt: time,
  seed: z.number(),
  model: z.object({ id: sha256, name: z.string() }).exactOptional(),
  shares: z.object({ train: z.number(), validation: z.number(), test: z.number() }).refine((shares) => shareFault(shares) === null, "shares out of bounds").exactOptional(),
  groups: z.array(z.array(z.string())).exactOptional(),
});

const lookSchema: z.ZodType<DocumentLook> = z.object({
  languages: z.array(z.object({ language: z.string(), share: z.number() })),
  warnings: z.array(z.object({ kind: z.string(), sentence: z.string() })),
  repeats: z.object({ kind: z.string(), earlierId: z.string(), sentence: z.string() }).exactOptional(),
  removed: z.array(z.object({ what: z.string(), start: count, end: count })),
  suggests: z.string().exactOptional(),
});

export const documentSchema: z.ZodType<StoredDocument> = z.object({
  id,
  handId: id,
  order: count,
  name: z.string(),
  text: z.string(),
  words: count,
  encoding: z.string().exactOptional(),
  format: z.string().max(32).exactOptional(),
  path: z.string().max(4096).exactOptional(),
  excluded: z.object({ reason: z.string(), by: z.enum(["person", "inspection"]) }).exactOptional(),
  kept: z.boolean().exactOptional(),
  original: z.string().exactOptional(),
  edited: z.boolean().exactOptional(),
  look: lookSchema.exactOptional(),
  addedAt: time,
});

export const runSchema: z.ZodType<Run> = z.object({
  id,
  handId: id,
  createdAt: time,
  updatedAt: time,
  status: z.enum(["running", "finished", "stopped", "failed", "interrupted"]),
  modelId: z.string(),
  modelSha256: z.string(),
  config: sftConfigSchema,
  dataHash: z.string(),
  device: deviceSchema.exactOptional(),
  execution: executionSchema.exactOptional(),
  step: count,
  totalSteps: count,
  trainTokens: count,
  trainExamples: count,
  heldOutExamples: count,
  elapsedMs: time,
  adapterId: z.string().exactOptional(),
  name: z.string().max(80).exactOptional(),
  writing: z.object({ words: count, hash: z.string().exactOptional() }).exactOptional(),
  start: z.object({ name: z.string(), adapterId: z.string().exactOptional() }).exactOptional(),
  checkpointStep: count.exactOptional(),
  error: errorSchema.exactOptional(),
});

export const metricSchema: z.ZodType<Metric> = z.object({
  runId: id,
  kind: z.enum(["train", "heldout"]),
  step: count,
  loss: anyNumber,
  tokens: count,
  learningRate: z.number().exactOptional(),
  gradNorm: anyNumber.exactOptional(),
  examples: count.exactOptional(),
  changeError: anyNumber.exactOptional(),
  atMs: time,
});

export const sampleSchema: z.ZodType<RunSample> = z.object({ runId: id, step: count, prompt: z.string(), text: z.string() });

const scoreSchema: z.ZodType<Score> = z.object({ loss: anyNumber, perplexity: anyNumber, bitsPerByte: anyNumber, tokens: count, bytes: count, examples: count });
const reportSchema: z.ZodType<AdapterReport> = z.object({ base: scoreSchema, tuned: scoreSchema });

/** An adapter without its file, as lists show it. */
export type AdapterInfo = Omit<StoredAdapter, "file"> & { fileBytes: number };

export const adapterInfoSchema: z.ZodType<AdapterInfo> = z.object({
  id,
  handId: id,
  runId: z.string().exactOptional(),
  name: z.string(),
  createdAt: time,
  modelId: z.string(),
  modelSha256: z.string(),
  fileBytes: count,
  report: reportSchema.exactOptional(),
});

// by its tag, since the array may come from another realm
const bytes = z.custom<Uint8Array>((value) => Object.prototype.toString.call(value) === "[object Uint8Array]", "expected bytes");
export const adapterFileSchema = z.object({ adapterId: id, file: bytes });

const written = {
  text: z.string(),
  voice: z.enum(["base", "tuned"]).exactOptional(),
  unfinished: z.boolean().exactOptional(),
  stop: z.enum(["length", "stopped"]).exactOptional(),
  forgotten: count.exactOptional(),
} as const;
const turnSchema: z.ZodType<Turn> = z.object({
  ...written,
  id: id.exactOptional(),
  after: id.nullable().exactOptional(),
  role: z.enum(["user", "assistant"]),
  form: z.enum(["chat", "continue", "keywords"]).exactOptional(),
  beside: z.object(written).exactOptional(),
  adapterId: id.exactOptional(),
  seed: count.exactOptional(),
  sampling: z.object({ temperature: z.number(), topP: z.number(), topK: count.exactOptional(), repetitionPenalty: z.number().exactOptional(), maxNewTokens: count }).exactOptional(),
});
export const conversationSchema: z.ZodType<Conversation> = z.object({ id, handId: id, adapterId: id.exactOptional(), createdAt: time, updatedAt: time, turns: z.array(turnSchema), showing: id.exactOptional() });
export const measurementSchema: z.ZodType<StoredMeasurement> = z.object({ adapterId: id, handId: id, measuredAt: time, content: z.unknown() });
export const judgingSchema: z.ZodType<Judging> = z.object({ id, handId: id, adapterId: id, createdAt: time, updatedAt: time, state: z.unknown() });

export const keptSchema: z.ZodType<KeptCheckpoint> = z.object({ runId: id, step: count, tokens: count, savedAt: time, loss: anyNumber.nullable(), fileBytes: count });
export const keptFileSchema = z.object({ runId: id, step: count, file: bytes });

export const checkpointSchema: z.ZodType<StoredCheckpoint> = z.object({ runId: id, step: count, savedAt: time, file: bytes });

/** @param what the record in words, e.g. "A training run". @throws DuctusError `store/damaged` */
export function readRecord<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new DuctusError("store/damaged", `${what} stored in this browser cannot be read: it is damaged, or another version of the app wrote it.`, "Reload the page. If it happens again, delete it; what else is stored here is not touched.", {
    details: `${recordName(value)}: ${z.prettifyError(result.error)}`,
  });
}

/** Told of a record that cannot be read, which is then passed over; without one, such a record fails the whole list. */
export type OnDamaged = (error: DuctusError) => void;

/** As readRecord, for a list. @throws DuctusError `store/damaged` where `onDamaged` is not given */
export function readRecords<T>(schema: z.ZodType<T>, values: readonly unknown[], what: string, onDamaged?: OnDamaged): T[] {
  return values.flatMap((value) => {
    try {
      return [readRecord(schema, value, what)];
    } catch (error) {
      if (onDamaged === undefined || !(error instanceof DuctusError)) throw error;
      onDamaged(error);
      return [];
    }
  });
}

function recordName(value: unknown): string {
  const record = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  const name = [record["id"], record["runId"], record["adapterId"]].find((key) => typeof key === "string");
  return name ?? typeof value;
}
