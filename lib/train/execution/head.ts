/**
 * Final norm, head and loss for the streamed execution. The vocabulary is cut
 * into chunks and the scored rows into slices, so that neither the table as f32
 * nor all logits are ever in memory at once: a first pass gives each row's
 * log-sum-exp from its chunks' (online softmax, Milakov & Gimelshein 2018), a
 * second one the gradient, chunk by chunk. Rows of the vocabulary that an
 * adapter trains are a chunk of their own, and masked out where they stood.
 */
import { adjoints } from "../graph/autodiff";
import { Graph, type Target, type Tensor } from "../graph/graph";
import { partGradient, partLogitsGradient, partStatistics } from "../graph/operators/chunked";
import { add } from "../graph/operators/elementwise";
import { gemm } from "../graph/operators/linear";
import { toOnnx, type OnnxModel } from "../graph/onnx";
import type { ModelConfig } from "../model/config";
import { held, headName, type AnyWeights } from "../model/groups";
import type { HeldTensor, Storage } from "../model/held";
import { finalNorm, frozenFloats, frozenLinear, MASKED } from "../model/qwen";
import { sliceRows } from "../model/quantize";
import { targetOf, type Backend } from "../runtime/backend";
import { upload, type DeviceTensor } from "../runtime/device-tensor";
import { f32, i32, Session } from "../runtime/session";
import { uploadHeld } from "./upload";

/** A chunk of the table, as f32. */
const CHUNK_BYTES = 64e6;
/** Logits of a slice of rows over the whole vocabulary. */
const LOGITS_BYTES = 80e6;

interface Chunk {
  /** First token id. */
  start: number;
  rows: number;
  /** The table's rows as they are held; null for the adapter's own, which change. */
  table: Record<string, DeviceTensor> | null;
  /** 0, or MASKED where a trained row stands in for the table's; null where none does. */
  bias: DeviceTensor | null;
}

export interface HeadResult {
  /** [M] */
  nll: Float32Array;
  /** [M, hidden]; absent when only scored. */
  dHidden: Float32Array | null;
  /** Of the trained rows, [count, hidden]. */
  dTokens: Float32Array | null;
}

export class StreamedHead {
  private readonly sessions = new Map<string, Promise<Session>>();

  private constructor(
    private readonly backend: Backend,
    private readonly config: ModelConfig,
    private readonly storage: Storage,
    private readonly norm: DeviceTensor,
    private readonly chunks: readonly Chunk[],
    private readonly tokens: readonly number[],
  ) {}

  /** @param tokens ids of trained rows */
  static async create(backend: Backend, config: ModelConfig, weights: AnyWeights, tokens: readonly number[], chunkBytes = CHUNK_BYTES): Promise<StreamedHead> {
    const table = held(weights, headName(config));
    const whole: HeldTensor = table.storage === "f32" ? { ...table, shape: [config.vocabSize, config.hiddenSize] } : table;
    const perChunk = Math.ceil(config.vocabSize / Math.ceil((config.vocabSize * config.hiddenSize * 4) / chunkBytes));
    const norm = await upload(backend, f32(held(weights, "model.norm.weight").data as Float32Array, [config.hiddenSize]));
    const chunks: Chunk[] = [];
    const head = new StreamedHead(backend, config, whole.storage, norm, chunks, tokens);
    try {
      for (let start = 0; start < config.vocabSize; start += perChunk) {
        const end = Math.min(start + perChunk, config.vocabSize);
        const chunk: Chunk = { start, rows: end - start, table: await uploadHeld(backend, "table", sliceRows(whole, start, end)), bias: null };
        chunks.push(chunk);
        const masked = tokens.filter((id) => id >= start && id < end);
        if (masked.length === 0) continue;
        const bias = new Float32Array(end - start);
        for (const id of masked) bias[id - start] = MASKED;
        chunk.bias = await upload(backend, f32(bias, [end - start]));
      }
      if (tokens.length > 0) chunks.push({ start: config.vocabSize, rows: tokens.length, table: null, bias: null });
      return head;
    } catch (error) {
      await head.dispose();
      throw error;
    }
  }

  /**
   * @param hidden output of the last layer at the scored rows, [M, hidden]
   * @param targets [M]; a trained token's is its place behind the vocabulary
   * @param rowWeights of the loss Σ nll · weight, [M]; null to score only
   * @param rows of trained tokens, [count, hidden]
   */
  async run(hidden: Float32Array, targets: Int32Array, rowWeights: Float32Array | null, rows: Float32Array | null): Promise<HeadResult> {
    const width = this.config.hiddenSize;
    const result: HeadResult = {
      nll: new Float32Array(targets.length),
      dHidden: rowWeights && new Float32Array(hidden.length), // [M, hidden]
      dTokens: rowWeights && rows && new Float32Array(rows.length), // [count, hidden]
    };
    const perSlice = Math.max(1, Math.floor(LOGITS_BYTES / 4 / (this.config.vocabSize + this.tokens.length)));
    for (let from = 0; from < targets.length; from += perSlice) {
      const to = Math.min(from + perSlice, targets.length);
      await this.slice(hidden.subarray(from * width, to * width), targets.subarray(from, to), rowWeights?.subarray(from, to) ?? null, rows, from, result);
    }
    return result;
  }

  async dispose(): Promise<void> {
    for (const session of this.sessions.values()) await (await session.catch(() => null))?.dispose();
    this.norm.dispose();
    for (const { table, bias } of this.chunks) {
      for (const tensor of Object.values(table ?? {})) tensor.dispose();
      bias?.dispose();
    }
  }

  private async slice(hidden: Float32Array, targets: Int32Array, rowWeights: Float32Array | null, rows: Float32Array | null, at: number, into: HeadResult): Promise<void> {
    const width = this.config.hiddenSize;
    const count = targets.length;
    const mine: DeviceTensor[] = [];
    const keep = (tensor: DeviceTensor) => {
      mine.push(tensor);
      return tensor;
    };
    try {
      const own = rows && keep(await upload(this.backend, f32(rows, [this.tokens.length, width])));
      const input = keep(await upload(this.backend, f32(hidden, [count, width]))); // [m, hidden]
      const normed = keep((await (await this.session("norm", () => normGraph(this.config, targetOf(this.backend)), ["normed"])).compute({ hidden: input, "model.norm.weight": this.norm })).device["normed"]!);
      const tableOf = (chunk: Chunk): Record<string, DeviceTensor> => chunk.table ?? { table: own! };
      const logits: (DeviceTensor | null)[] = [];
      const top = new Float64Array(count).fill(-Infinity), total = new Float64Array(count), picked = new Float64Array(count); // [m] each
      for (const chunk of this.chunks) {
        const out = await (await this.logitsSession(chunk, rowWeights !== null)).compute({
          normed, ...tableOf(chunk), ...(chunk.bias ? { bias: chunk.bias } : {}), targets: i32(localTargets(targets, chunk), [count, 1]),
        });
        logits.push(rowWeights ? keep(out.device["logits"]!) : null);
        const [max, sum, pick] = ["max", "sum", "picked"].map((name) => out.host[name]!.data as Float32Array) as [Float32Array, Float32Array, Float32Array];
        for (let i = 0; i < count; i++) {
          const higher = Math.max(top[i]!, max[i]!);
          total[i] = total[i]! * Math.exp(top[i]! - higher) + sum[i]! * Math.exp(max[i]! - higher);
          top[i] = higher;
          if (inside(targets[i]!, chunk)) picked[i] = pick[i]!;
        }
      }
      for (let i = 0; i < count; i++) into.nll[at + i] = top[i]! - picked[i]! + Math.log(total[i]!);
      if (!rowWeights) return;

      // Not through the log-sum-exp: rounding a large one would change every share of its row.
      const share = Float32Array.from(total, (sum, i) => rowWeights[i]! / sum); // [m]
      let dNormed = keep(await upload(this.backend, f32(new Float32Array(count * width), [count, width]))); // [m, hidden]
      for (const [c, chunk] of this.chunks.entries()) {
        const hit = Float32Array.from(targets, (target, i) => (inside(target, chunk) ? -rowWeights[i]! : 0)); // [m]
        const out = await (await this.gradientSession(chunk)).compute({
          logits: logits[c]!, ...tableOf(chunk), top: f32(Float32Array.from(top), [count, 1]), share: f32(share, [count, 1]),
          targets: i32(localTargets(targets, chunk), [count, 1]), hit: f32(hit, [count, 1]), before: dNormed,
          ...(chunk.table ? {} : { normed }),
        });
        logits[c]!.dispose();
        dNormed = keep(out.device["after"]!);
        const dTable = out.host["dTable"]?.data as Float32Array | undefined;
        if (dTable) for (let i = 0; i < dTable.length; i++) into.dTokens![i] = into.dTokens![i]! + dTable[i]!;
      }
      const { host } = await (await this.session("norm back", () => normBackGraph(this.config, targetOf(this.backend)), [])).compute({ hidden: input, "model.norm.weight": this.norm, dNormed });
      into.dHidden!.set(host["dHidden"]!.data as Float32Array, at * width);
    } finally {
      for (const tensor of mine) tensor.dispose();
    }
  }

  private session(name: string, model: () => OnnxModel, keep: readonly string[]): Promise<Session> {
    const known = this.sessions.get(name) ?? Session.create(this.backend, model(), { keep });
    this.sessions.set(name, known);
    return known;
  }

  private logitsSession(chunk: Chunk, keepLogits: boolean): Promise<Session> {
    const storage = chunk.table ? this.storage : "f32";
    return this.session(`logits ${chunk.rows} ${storage} ${chunk.bias !== null} ${keepLogits}`,
      () => logitsGraph(targetOf(this.backend), this.config, chunk.rows, storage, chunk.bias !== null, keepLogits), keepLogits ? ["logits"] : []);
  }

  private gradientSession(chunk: Chunk): Promise<Session> {
    const storage = chunk.table ? this.storage : "f32";
    return this.session(`gradient ${chunk.rows} ${storage} ${chunk.table !== null}`,
      () => gradientGraph(targetOf(this.backend), this.config, chunk.rows, storage, chunk.table === null), ["after"]);
  }
}

const inside = (target: number, chunk: Chunk) => target >= chunk.start && target < chunk.start + chunk.rows;

/** Targets within the chunk; those outside point at its first row, and count for nothing. */
const localTargets = (targets: Int32Array, chunk: Chunk) => targets.map((t) => (inside(t, chunk) ? t - chunk.start : 0));

function normGraph(config: ModelConfig, target: Target): OnnxModel {
  const graph = new Graph(target);
  return toOnnx(graph, { normed: finalNorm(graph.input("hidden", "f32", ["M", config.hiddenSize]), config) });
}

function normBackGraph(config: ModelConfig, target: Target): OnnxModel {
  const graph = new Graph(target);
  const hidden = graph.input("hidden", "f32", ["M", config.hiddenSize]); // [m, hidden]
  const normed = finalNorm(hidden, config);
  const [dHidden] = adjoints(graph, normed, graph.input("dNormed", "f32", normed.shape), [hidden]);
  return toOnnx(graph, { dHidden: dHidden! });
}

/** Logits of a chunk, and what they say of their rows. */
function logitsGraph(target: Target, config: ModelConfig, rows: number, storage: Storage, biased: boolean, keepLogits: boolean): OnnxModel {
  const graph = new Graph(target);
  const normed = graph.input("normed", "f32", ["M", config.hiddenSize]); // [m, hidden]
  const logits = frozenLinear(normed, "table", rows, storage, { bias: biased ? graph.input("bias", "f32", [rows]) : null }); // [m, rows]
  return toOnnx(graph, { ...partStatistics(logits, graph.input("targets", "i32", ["M", 1])), ...(keepLogits ? { logits } : {}) });
}

/** What a chunk adds to dNormed. For the adapter's own rows, which are few, dLogits is laid out, and gives their gradient too. */
function gradientGraph(target: Target, config: ModelConfig, rows: number, storage: Storage, trained: boolean): OnnxModel {
  const graph = new Graph(target);
  const column = (name: string): Tensor => graph.input(name, "f32", ["M", 1]);
  const logits = graph.input("logits", "f32", ["M", rows]); // [m, rows]
  const whole = { top: column("top"), share: column("share"), hit: column("hit"), targets: graph.input("targets", "i32", ["M", 1]) };
  const before = graph.input("before", "f32", ["M", config.hiddenSize]); // [m, hidden]
  const table = frozenFloats(graph, "table", [rows, config.hiddenSize], storage); // [rows, hidden]
  if (!trained) return toOnnx(graph, { after: add(before, partGradient(logits, table, whole)) });
  const dLogits = partLogitsGradient(logits, whole); // [m, rows]
  return toOnnx(graph, { after: gemm(dLogits, table, { c: before }), dTable: gemm(dLogits, graph.input("normed", "f32", ["M", config.hiddenSize]), { transA: true }) });
}
