/**
 * Keys and values of the tokens that a batch of rows has read so far. Rows may be
 * of different lengths: a slot that a row has no token in is masked. In plain
 * memory each layer has one array with room to spare, into which new keys and
 * values are written; on a graphics device a run hands out the longer tensor,
 * and nothing leaves the device. Positions are not its business: keys are kept
 * as they were turned.
 */
import type { ModelConfig } from "../model/config";
import { MASKED } from "../model/qwen";
import type { DeviceTensor } from "../runtime/device-tensor";
import { f32, i32, type NdArray, type Session } from "../runtime/session";

export type Kind = "key" | "value";
const KINDS: readonly Kind[] = ["key", "value"];

export interface KvCache {
  /** Tokens that each row holds. */
  readonly lengths: readonly number[];
  /** P, past positions that are fed. */
  readonly slots: number;
  /** Writes the mask of a row's past positions into `mask` from `at` on, [P]; the place holds zeros. */
  maskRow(row: number, mask: Float32Array, at: number): void;
  /** [B, kvHeads, P, headDim] */
  fed(layer: number, kind: Kind): NdArray | DeviceTensor;
  /**
   * Takes in what a run gave for a layer: of the new positions [B, kvHeads, T, headDim] in plain memory, of all
   * [B, kvHeads, P + T, headDim] on a device. Once all layers have, {@link advance} follows.
   *
   * @param counts how many of the T new positions hold a token of each row; the others are padding
   */
  put(layer: number, kind: Kind, made: NdArray | DeviceTensor, counts: readonly number[]): void;
  advance(counts: readonly number[], seq: number): void;
  /** A copy of some rows, in this order and as often as named, each cut to a length. This one stays as it is. */
  select(rows: readonly number[], lengths?: readonly number[]): Promise<KvCache>;
  dispose(): void;
}

/** Slots are added by so many at a time. */
const BLOCK = 16;
const roomFor = (tokens: number) => Math.ceil(tokens / BLOCK) * BLOCK;

export class HostCache implements KvCache {
  private room = 0;

  private constructor(
    private readonly config: ModelConfig,
    public lengths: readonly number[],
    /** [layers · 2], each [B, kvHeads, room of that array, headDim] */
    private readonly arrays: Float32Array[],
    room: number,
  ) {
    this.room = room;
  }

  static empty(config: ModelConfig, rows: number): HostCache {
    return new HostCache(config, Array<number>(rows).fill(0), Array.from({ length: 2 * config.numLayers }, () => new Float32Array(0)), 0);
  }

  get slots(): number {
    return this.room;
  }

  maskRow(row: number, mask: Float32Array, at: number): void {
    mask.fill(MASKED, at + this.lengths[row]!, at + this.room);
  }

  fed(layer: number, kind: Kind): NdArray {
    const { numKeyValueHeads, headDim } = this.config;
    return f32(this.arrays[index(layer, kind)]!, [this.lengths.length, numKeyValueHeads, this.room, headDim]);
  }

  put(layer: number, kind: Kind, made: NdArray, counts: readonly number[]): void {
    const { numKeyValueHeads: heads, headDim } = this.config;
    const at = index(layer, kind);
    const seq = made.shape[2]!;
    const room = this.roomWith(counts);
    let array = this.arrays[at]!;
    if (room > this.room) {
      const grown = new Float32Array(this.lengths.length * heads * room * headDim); // [B, kvHeads, room, headDim]
      for (let r = 0; this.room > 0 && r < this.lengths.length * heads; r++) {
        grown.set(array.subarray(r * this.room * headDim, (r + 1) * this.room * headDim), r * room * headDim);
      }
      this.arrays[at] = array = grown;
    }
    const fresh = made.data as Float32Array; // [B, kvHeads, seq, headDim]
    for (let r = 0; r < this.lengths.length * heads; r++) {
      const row = Math.floor(r / heads);
      array.set(fresh.subarray(r * seq * headDim, (r * seq + counts[row]!) * headDim), (r * room + this.lengths[row]!) * headDim);
    }
  }

  advance(counts: readonly number[]): void {
    this.room = this.roomWith(counts);
    this.lengths = this.lengths.map((length, row) => length + counts[row]!);
  }

  select(rows: readonly number[], lengths: readonly number[] = rows.map((row) => this.lengths[row]!)): Promise<HostCache> {
    const { numKeyValueHeads: heads, headDim } = this.config;
    const room = roomFor(Math.max(0, ...lengths));
    const arrays = this.arrays.map((array) => {
      const picked = new Float32Array(rows.length * heads * room * headDim); // [rows, kvHeads, room, headDim]
      rows.forEach((row, i) => {
        for (let h = 0; h < heads; h++) {
          const from = (row * heads + h) * this.room * headDim;
          picked.set(array.subarray(from, from + lengths[i]! * headDim), (i * heads + h) * room * headDim);
        }
      });
      return picked;
    });
    return Promise.resolve(new HostCache(this.config, [...lengths], arrays, room));
  }

  dispose(): void {
    this.arrays.fill(new Float32Array(0));
  }

  private roomWith(counts: readonly number[]): number {
    return Math.max(this.room, roomFor(Math.max(...this.lengths.map((length, row) => length + counts[row]!))));
  }
}

export class DeviceCache implements KvCache {
  private constructor(
    private readonly config: ModelConfig,
    /** Runs {@link pickGraph}, its output kept on the device. */
    private readonly picker: Session,
    /** For each row which slots hold a token of it. */
    private held: readonly (readonly boolean[])[],
    /** [layers · 2]; null while there are no slots. */
    private readonly tensors: (DeviceTensor | null)[],
  ) {}

  static empty(config: ModelConfig, picker: Session, rows: number): DeviceCache {
    return new DeviceCache(config, picker, Array.from({ length: rows }, () => []), Array<null>(2 * config.numLayers).fill(null));
  }

  get lengths(): readonly number[] {
    return this.held.map((slots) => slots.filter(Boolean).length);
  }

  get slots(): number {
    return this.held[0]?.length ?? 0;
  }

  maskRow(row: number, mask: Float32Array, at: number): void {
    this.held[row]!.forEach((held, slot) => {
      if (!held) mask[at + slot] = MASKED;
    });
  }

  fed(layer: number, kind: Kind): NdArray | DeviceTensor {
    const { numKeyValueHeads, headDim } = this.config;
    return this.tensors[index(layer, kind)] ?? f32(new Float32Array(0), [this.held.length, numKeyValueHeads, 0, headDim]);
  }

  put(layer: number, kind: Kind, made: DeviceTensor): void {
    const at = index(layer, kind);
    this.tensors[at]?.dispose();
    this.tensors[at] = made;
  }

  advance(counts: readonly number[], seq: number): void {
    this.held = this.held.map((slots, row) => [...slots, ...Array.from({ length: seq }, (_, t) => t < counts[row]!)]);
  }

  async select(rows: readonly number[], lengths?: readonly number[]): Promise<DeviceCache> {
    let cut = rows.map((row, i) => {
      let left = lengths?.[i] ?? Infinity;
      return this.held[row]!.map((held) => held && left-- > 0);
    });
    const slots = Array.from({ length: this.slots }, (_, slot) => slot).filter((slot) => cut.some((row) => row[slot]));
    cut = cut.map((row) => slots.map((slot) => row[slot]!));
    const tensors = Array<DeviceTensor | null>(this.tensors.length).fill(null);
    if (slots.length > 0) {
      const which = { rows: i32(Int32Array.from(rows), [rows.length]), slots: i32(Int32Array.from(slots), [slots.length]) };
      try {
        for (const [i, data] of this.tensors.entries()) tensors[i] = (await this.picker.compute({ data: data!, ...which })).device["picked"]!;
      } catch (error) {
        for (const tensor of tensors) tensor?.dispose();
        throw error;
      }
    }
    return new DeviceCache(this.config, this.picker, cut, tensors);
  }

  dispose(): void {
    for (const tensor of this.tensors) tensor?.dispose();
    this.tensors.fill(null);
    this.held = this.held.map(() => []);
  }
}

const index = (layer: number, kind: Kind) => 2 * layer + KINDS.indexOf(kind);
