/**
 * Text to tokens and back for the byte-level BPE tokenizers of Qwen models and
 * our own, from Hugging Face's tokenizer.json and tokenizer_config.json. The
 * pre-tokenizer and BPE are those of @huggingface/tokenizers, the chat template
 * is rendered by @huggingface/jinja: the two packages that
 * @huggingface/transformers itself builds PreTrainedTokenizer from. The whole
 * of transformers.js is not imported: bundled it weighs 533 kB instead of 86
 * (160 and 25 gzipped), brings onnxruntime-web and its wasm with it, and points
 * that runtime's file paths at a public server. Decoding is done here,
 * on bytes, so that a stream and a whole text come out the same. Special tokens
 * are never made from what a person wrote: `<|im_start|>` in a text is text.
 */
import "../../zod";
import { Template } from "@huggingface/jinja";
import { Tokenizer } from "@huggingface/tokenizers";
import * as z from "zod";
import { DuctusError } from "../../core/errors";

export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

export interface TextTokenizer {
  /** One more than the highest id; the model's embedding may have more rows. */
  readonly vocabSize: number;
  /** Ends a turn (tokenizer_config's eos_token). */
  readonly eosTokenId: number;
  readonly padTokenId: number;
  /** What its own post-processor puts before a text: a beginning-of-text token (Llama 3), or nothing (Qwen). */
  readonly textPrefixIds: readonly number[];
  /** Ids of tokens that stand for no text. */
  readonly specialIds: ReadonlySet<number>;
  /** Adds no special tokens. `allowSpecial`: their names in the text become them; only for text of our own. */
  encode(text: string, options?: { allowSpecial?: boolean }): number[];
  /** The conversation in the model's chat template; special tokens come from the template alone. @throws DuctusError `model/chat-template` where it has none */
  encodeChat(messages: readonly ChatMessage[], addGenerationPrompt: boolean): number[];
  /** `skipSpecial` (default true) leaves special tokens out. Bytes that are no character become U+FFFD. */
  decode(ids: readonly number[], options?: { skipSpecial?: boolean }): string;
  /** Id of a token by its name, e.g. `<|im_end|>`. */
  tokenId(token: string): number | undefined;
  stream(options?: { skipSpecial?: boolean }): StreamDecoder;
}

/** Decodes while tokens arrive; whole characters only. */
export interface StreamDecoder {
  /** @returns all text so far. */
  push(id: number): string;
  /** The text with what was left of an unfinished character as U+FFFD, as decode() gives it. */
  finish(): string;
}

/** Far above any vocabulary; ids are the indices of arrays. */
const MAX_ID = 10_000_000;

const addedTokenSchema = z.looseObject({
  id: z.int().nonnegative().max(MAX_ID),
  content: z.string().min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  special: z.boolean(),
});

const tokenizerSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema).max(10_000),
  decoder: z.looseObject({ type: z.literal("ByteLevel") }),
  model: z.looseObject({ type: z.literal("BPE"), vocab: z.record(z.string(), z.int().nonnegative().max(MAX_ID)), merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])) }),
});

const templateProcessor = z.looseObject({
  type: z.literal("TemplateProcessing"),
  single: z.array(z.union([z.looseObject({ SpecialToken: z.looseObject({ id: z.string() }) }), z.looseObject({ Sequence: z.unknown() })])).max(16),
});
const processorSchema = z.union([templateProcessor.transform((one) => [one]), z.looseObject({ type: z.literal("Sequence"), processors: z.array(z.unknown()).max(16) }).transform(({ processors }) => processors)]);

const tokenName = z.union([z.string(), z.looseObject({ content: z.string() }).transform((token) => token.content)]);
const tokenizerConfigSchema = z.looseObject({
  eos_token: tokenName,
  pad_token: tokenName.nullish(),
  bos_token: tokenName.nullish(),
  add_bos_token: z.boolean().nullish(),
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() })).transform((all) => all.find(({ name }) => name === "default")?.template)]).nullish(),
});

/** @throws DuctusError `model/tokenizer` where the files are not of the kind described above. */
export function createTokenizer(tokenizerJson: unknown, tokenizerConfig: unknown): TextTokenizer {
  const json = tokenizerSchema.safeParse(tokenizerJson);
  if (!json.success) throw unreadable(z.prettifyError(json.error));
  const config = tokenizerConfigSchema.safeParse(tokenizerConfig);
  if (!config.success) throw unreadable(z.prettifyError(config.error));
  const { added_tokens: added, model } = json.data;
  if (added.some((token) => token.single_word || token.lstrip || token.rstrip)) throw unreadable("added tokens that swallow spaces are not supported");
  // As parsed, because zod leaves out a token named __proto__.
  const vocab = new Map(Object.entries((tokenizerJson as { model: { vocab: Record<string, number> } }).model.vocab));
  checkVocabulary(vocab, model.merges, added);

  let plain: Tokenizer;
  let template: Template;
  try {
    // Without its added tokens the library's tokenizer can make no special token out of any text.
    plain = new Tokenizer({ ...json.data, model: { ...model, vocab: Object.fromEntries(vocab) }, added_tokens: [] }, config.data);
    template = new Template(config.data.chat_template ?? "");
  } catch (cause) {
    throw unreadable(undefined, cause);
  }

  const bytesOfId: Uint8Array[] = [];
  for (const [token, id] of vocab) bytesOfId[id] = byteLevelBytes(token);
  const specialIds = new Set<number>();
  const idOfAdded = new Map<string, number>();
  for (const token of added) {
    bytesOfId[token.id] = new TextEncoder().encode(token.content);
    idOfAdded.set(token.content, token.id);
    if (token.special) specialIds.add(token.id);
  }
  const { eos_token: eos, pad_token: pad } = config.data;
  const tokenId = (token: string) => idOfAdded.get(token) ?? vocab.get(token);
  const eosTokenId = tokenId(eos);
  const padTokenId = pad == null ? eosTokenId : tokenId(pad);
  if (eosTokenId === undefined || padTokenId === undefined) throw unreadable("its end or padding token is not in the vocabulary");

  const bos = config.data.bos_token ?? null;
  const textPrefixIds = textPrefix(json.data["post_processor"], config.data.add_bos_token === true ? bos : null).map((token) => tokenId(token));
  if (!textPrefixIds.every((id) => id !== undefined)) throw unreadable("its beginning token is not in the vocabulary");

  const encodePlain = (text: string) => (text === "" ? [] : plain.encode(text, { add_special_tokens: false }).ids);
  const decode = (ids: readonly number[], skipSpecial = true) => {
    const decoder = createStreamDecoder(bytesOfId, specialIds, skipSpecial);
    for (const id of ids) decoder.push(id);
    return decoder.finish();
  };
  try {
    if (decode(encodePlain(PROBE)) !== PROBE) throw new Error("it does not give back the text that it was given");
  } catch (cause) {
    throw unreadable(undefined, cause);
  }
  const splitter = addedTokenPattern([...idOfAdded.keys()]);

  /** Added tokens by name, the text between them through `restore`. */
  function encodeMixed(text: string, restore: (text: string) => string): number[] {
    if (!splitter) return encodePlain(restore(text));
    return text.split(splitter).flatMap((part) => idOfAdded.get(part) ?? encodePlain(restore(part)));
  }

  return {
    vocabSize: bytesOfId.length,
    eosTokenId,
    padTokenId,
    textPrefixIds,
    specialIds,
    tokenId,
    encode: (text, { allowSpecial = false } = {}) => (allowSpecial ? encodeMixed(text, (part) => part) : encodePlain(text)),
    encodeChat(messages, addGenerationPrompt) {
      if ((config.data.chat_template ?? "") === "") throw new DuctusError("model/chat-template", "This model has no chat template: it was not made for conversations.", "Choose a model that was (its name often ends in “Instruct” or “Chat”).");
      const guard = createGuard([...idOfAdded.keys()], messages);
      const guarded = messages.map(({ role, content }) => ({ role, content: guard.hide(content) }));
      return encodeMixed(template.render({ messages: guarded, add_generation_prompt: addGenerationPrompt, ...(bos === null ? {} : { bos_token: bos }), eos_token: eos, pad_token: pad ?? null }), guard.show);
    },
    decode: (ids, options) => decode(ids, options?.skipSpecial),
    stream: (options) => createStreamDecoder(bytesOfId, specialIds, options?.skipSpecial ?? true),
  };
}

/** Text of every kind that a pre-tokenizer tells apart, in the form that normalisation gives it. */
const PROBE = "It's 12:30 o'clock — WE'LL see a naïve café,  日本語 السلام हिन्दी 🙂👩‍👧 x_y-z; (2³ = 8)!?\r\n\n\tTabs\u00a0and   spaces  \n end ";

/** That encoding can end nowhere but in tokens of the vocabulary, each with an id of its own. */
function checkVocabulary(vocab: ReadonlyMap<string, number>, merges: readonly (string | [string, string])[], added: readonly { id: number; content: string }[]): void {
  const tokenOfId = new Map<number, string>();
  for (const [token, id] of [...vocab, ...added.map(({ content, id }) => [content, id] as const)]) {
    if ((tokenOfId.get(id) ?? token) !== token) throw unreadable(`two tokens have the id ${id}`);
    tokenOfId.set(id, token);
  }
  for (const character of BYTE_OF_CHARACTER.keys()) if (!vocab.has(character)) throw unreadable(`it has no token for the byte ${BYTE_OF_CHARACTER.get(character)}`);
  for (const merge of merges) {
    const token = typeof merge === "string" ? merge.replace(" ", "") : merge.join("");
    if (!vocab.has(token)) throw unreadable(`it merges to “${token.slice(0, 80)}”, which is not in its vocabulary`);
  }
}

/** The special tokens before the text in the post-processor's template; where it has none, the one that the settings ask for. */
function textPrefix(postProcessor: unknown, asked: string | null): string[] {
  const processors = processorSchema.safeParse(postProcessor);
  const template = processors.success ? processors.data.map((one) => templateProcessor.safeParse(one)).find(({ success }) => success)?.data : undefined;
  if (!template) return asked === null ? [] : [asked];
  const parts = template.single.slice(0, template.single.findIndex((part) => "Sequence" in part));
  return parts.flatMap((part) => ("SpecialToken" in part ? [(part.SpecialToken as { id: string }).id] : []));
}

function createStreamDecoder(bytesOfId: readonly (Uint8Array | undefined)[], specialIds: ReadonlySet<number>, skipSpecial: boolean): StreamDecoder {
  // ignoreBOM keeps a U+FEFF that the text begins with; a decoder in stream mode holds an unfinished character back.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  return {
    push(id) {
      const bytes = bytesOfId[id];
      if (bytes && !(skipSpecial && specialIds.has(id))) text += decoder.decode(bytes, { stream: true });
      return text;
    },
    finish() {
      text += decoder.decode();
      return text;
    },
  };
}

/** Splits a text at the names of added tokens, longest first, keeping them. */
function addedTokenPattern(names: string[]): RegExp | null {
  if (names.length === 0) return null;
  return new RegExp(`(${alternatives(names)})`, "u");
}

function alternatives(names: string[]): string {
  const escaped = [...names].sort((a, b) => b.length - a.length).map((name) => name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  return escaped.join("|");
}

/**
 * Hides the names of added tokens in what people wrote while the template is
 * rendered: the first character of each is replaced by one that stands nowhere
 * in the conversation. Afterwards the text between the template's own special
 * tokens is put right again, and encoded as text. (Encoding each message by
 * itself would be simpler, but would cut where the template and a message's
 * leading white space make one token.)
 */
function createGuard(names: string[], messages: readonly ChatMessage[]): { hide: (text: string) => string; show: (text: string) => string } {
  const inUse = new Set(messages.flatMap(({ content }) => [...content]));
  const standIns = new Map<string, string>();
  let next = 0xf0000; // a private-use plane
  for (const first of new Set(names.map((name) => [...name][0] as string))) {
    while (inUse.has(String.fromCodePoint(next))) next++;
    standIns.set(first, String.fromCodePoint(next++));
  }
  if (standIns.size === 0) return { hide: (text) => text, show: (text) => text };
  const originals = new Map([...standIns].map(([first, standIn]) => [standIn, first]));
  // A look-ahead finds names that begin inside one another, too.
  const starts = new RegExp(`(?=${alternatives(names)}).`, "gsu");
  const hidden = new RegExp([...originals.keys()].join("|"), "gu");
  return {
    hide: (text) => text.replace(starts, (first) => standIns.get(first) ?? first),
    show: (text) => text.replace(hidden, (standIn) => originals.get(standIn) ?? standIn),
  };
}

/** GPT-2's printable stand-ins for bytes (bytes_to_unicode): character → byte. */
const BYTE_OF_CHARACTER = ((): Map<string, number> => {
  const map = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    map.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return map;
})();

function byteLevelBytes(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTE_OF_CHARACTER.get(character);
    if (byte === undefined) return new TextEncoder().encode(token); // a special token that stands in the vocabulary too
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function unreadable(details?: string, cause?: unknown): DuctusError {
  return new DuctusError("model/tokenizer", "The model's tokenizer cannot be read.", "Choose another model, or fetch this one again.", { ...(details ? { details } : {}), ...(cause === undefined ? {} : { cause }) });
}
