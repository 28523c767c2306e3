/**
 * Generation in turns: what the last turn read is kept, and of the next prompt
 * only what differs is read again (the longest common beginning is reused). One
 * adapter for all turns, so that what is kept is right for the next one. Several
 * samples of one prompt share the reading of it.
 */
import { DuctusError } from "../../core/errors";
import type { KvCache } from "./cache";
import type { Decoder, ReadyAdapter } from "./decoder";
import { checkRequest, write, type GeneratedRow, type GenerationOptions, type Start } from "./write";

interface Kept {
  /** What the cache's one row has read. */
  tokens: number[];
  cache: KvCache;
}

export class GeneratorSession {
  private kept: Kept | null = null;
  private closed = false;

  constructor(private readonly decoder: Decoder, private readonly adapter: ReadyAdapter) {}

  /** Tokens whose keys and values are kept for the next turn. */
  get keptTokens(): number {
    return this.kept?.tokens.length ?? 0;
  }

  /**
   * @param seeds one for each sample of the prompt
   * @returns the samples, and how many tokens of the prompt were not read again
   * @throws as Generator.generate, and `generate/closed` after dispose
   */
  async generate(promptIds: readonly number[], seeds: readonly (number | string)[], options: GenerationOptions): Promise<{ rows: GeneratedRow[]; reusedTokens: number }> {
    if (this.closed) throw new DuctusError("generate/closed", "This conversation is closed.");
    const rows = seeds.map((seed) => ({ promptIds, adapted: this.adapter.real, seed }));
    checkRequest(rows, options, this.decoder.settings.maxPositions);
    const before = this.kept;
    this.kept = null; // a turn that begins meanwhile reads its prompt for itself
    let reusedTokens = 0;
    const prompt: { cache: KvCache | null } = { cache: null }; // set where the samples have caches of their own
    try {
      const written = await write(this.decoder, this.adapter, rows, options, async (): Promise<Start> => {
        const common = before ? commonLength(before.tokens, promptIds) : 0;
        reusedTokens = Math.min(common, promptIds.length - 1); // something must be read to get logits
        const cache = reusedTokens > 0 ? await before!.cache.select([0], [reusedTokens]) : this.decoder.newCache(1);
        try {
          const [logits] = await this.decoder.decode([{ tokens: promptIds.slice(reusedTokens), adapted: this.adapter.real }], cache, this.adapter) as [Float32Array];
          if (seeds.length === 1) return { cache, logits: [logits] };
          const spread = await cache.select(seeds.map(() => 0));
          prompt.cache = cache;
          return { cache: spread, logits: seeds.map(() => logits.slice()) };
        } catch (error) {
          cache.dispose();
          throw error;
        }
      });
      const { cache, histories } = written;
      if (prompt.cache) {
        cache?.dispose();
        this.keep({ tokens: [...promptIds], cache: prompt.cache });
        prompt.cache = null;
      } else if (cache) this.keep({ tokens: histories[0]!.slice(0, cache.lengths[0]), cache });
      return { rows: written.rows, reusedTokens };
    } finally {
      prompt.cache?.dispose();
      before?.cache.dispose();
    }
  }

  dispose(): void {
    this.closed = true;
    this.kept?.cache.dispose();
    this.kept = null;
    this.adapter.dispose();
  }

  private keep(kept: Kept): void {
    if (this.closed) return kept.cache.dispose();
    this.kept?.cache.dispose();
    this.kept = kept;
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}
