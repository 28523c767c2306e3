/**
 * Autoregressive generation. A batch holds prompts of different lengths and,
 * since the adapter is applied unmerged with a scale for each row, base and
 * tuned side by side; adapters are switched by handing over another one, without
 * loading anything again. A prompt that several rows share is read once. For
 * turns that go on from one another see session.ts.
 */
import { readable } from "../execution/readable";
import type { AdapterTensors } from "../execution/types";
import type { ModelConfig } from "../model/config";
import type { AnyWeights } from "../model/groups";
import type { LoraShape } from "../model/lora";
import type { Backend } from "../runtime/backend";
import type { Decoder, DecoderSettings, ReadyAdapter } from "./decoder";
import { GeneratorSession } from "./session";
import { StreamedDecoder } from "./streamed-decoder";
import { WholeDecoder } from "./whole-decoder";
import { checkRequest, write, type GeneratedRow, type GenerationOptions, type GenerationRow, type Start } from "./write";

export type { GeneratedRow, GenerationOptions, GenerationRow } from "./write";

export interface GeneratorOptions {
  /** Default whole. */
  execution?: "whole" | "streamed";
  /** Ids of vocabulary rows that adapters bring, see adapter/types.ts. */
  tokens?: readonly number[];
}

export class Generator {
  private constructor(private readonly decoder: Decoder) {}

  /**
   * @param lora shape of the adapters that will be used; null for the base alone, or for weights that an adapter is merged into
   * @param maxPositions of a row, prompt and continuation together
   */
  static async create(
    backend: Backend, model: ModelConfig, weights: AnyWeights, lora: LoraShape | null, maxPositions: number, { execution = "whole", tokens = [] }: GeneratorOptions = {},
  ): Promise<Generator> {
    const settings: DecoderSettings = { lora, maxPositions: Math.min(maxPositions, model.maxPositions), tokens };
    return new Generator(await (execution === "whole" ? WholeDecoder : StreamedDecoder).create(backend, model, readable(backend, weights), settings));
  }

  /**
   * @param adapter needed where a row is adapted; tensors by name, see model/lora.ts
   * @throws DuctusError `generate/too-long` when a prompt leaves no room, `generate/no-adapter`, `generate/options`, `generate/token`, `generate/not-a-number`
   */
  async generate(rows: readonly GenerationRow[], options: GenerationOptions, adapter: AdapterTensors | null = null): Promise<GeneratedRow[]> {
    checkRequest(rows, options, this.decoder.settings.maxPositions);
    const ready = await this.decoder.ready(rows.some((row) => row.adapted) ? adapter : null);
    try {
      const written = await write(this.decoder, ready, rows, options, () => this.start(rows, ready));
      written.cache?.dispose();
      return written.rows;
    } finally {
      ready.dispose();
    }
  }

  /**
   * For turns that go on from one another.
   *
   * @param adapter copied, so that it may change meanwhile; null for the base
   */
  async session(adapter: AdapterTensors | null = null): Promise<GeneratorSession> {
    const copy = adapter && new Map([...adapter].map(([name, data]) => [name, data.slice()]));
    return new GeneratorSession(this.decoder, await this.decoder.ready(copy));
  }

  dispose(): Promise<void> {
    return this.decoder.dispose();
  }

  /** Reads every distinct prompt once. */
  private async start(rows: readonly GenerationRow[], adapter: ReadyAdapter): Promise<Start> {
    const placeOf = new Map<string, number>();
    const distinct: GenerationRow[] = [];
    const places = rows.map((row) => {
      const key = `${row.adapted} ${row.promptIds.join()}`;
      const place = placeOf.get(key) ?? distinct.push(row) - 1;
      placeOf.set(key, place);
      return place;
    });
    const cache = this.decoder.newCache(distinct.length);
    try {
      const logits = await this.decoder.decode(distinct.map(({ promptIds, adapted }) => ({ tokens: promptIds, adapted })), cache, adapter);
      if (distinct.length === rows.length) return { cache, logits };
      const spread = await cache.select(places);
      cache.dispose();
      return { cache: spread, logits: places.map((place) => logits[place]!.slice()) };
    } catch (error) {
      cache.dispose();
      throw error;
    }
  }
}
