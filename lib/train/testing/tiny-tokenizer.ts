/** The files of a tiny byte-level BPE tokenizer in the layout of Qwen's: 256 bytes, two special tokens, some merges. Never part of the product. */

/** GPT-2's printable stand-in for a byte (bytes_to_unicode). */
function characterOf(byte: number): string {
  const printable = (b: number) => (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
  if (printable(byte)) return String.fromCharCode(byte);
  let next = 256;
  for (let b = 0; b < byte; b++) if (!printable(b)) next++;
  return String.fromCharCode(next);
}

export function tinyTokenizer(): { tokenizerJson: Record<string, unknown>; tokenizerConfig: Record<string, unknown> } {
  const vocab: Record<string, number> = {};
  for (let byte = 0; byte < 256; byte++) vocab[characterOf(byte)] = byte;
  const merges: [string, string][] = [["Ġ", "m"], ["o", "r"], ["Ġm", "or"], ["a", "n"], ["l", "a"]];
  const added = ["<|endoftext|>", "<|im_end|>"].map((content, i) => ({ id: 256 + i, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }));
  merges.forEach((pair, i) => { vocab[pair.join("")] = 258 + i; });
  return {
    tokenizerJson: {
      version: "1.0", truncation: null, padding: null, added_tokens: added, normalizer: { type: "NFC" },
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          { type: "Split", pattern: { Regex: "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+" }, behavior: "Isolated", invert: false },
          { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
        ],
      },
      post_processor: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      model: { type: "BPE", dropout: null, unk_token: null, continuing_subword_prefix: "", end_of_word_suffix: "", fuse_unk: false, byte_fallback: false, ignore_merges: false, vocab, merges },
    },
    tokenizerConfig: {
      tokenizer_class: "Qwen2Tokenizer", eos_token: "<|im_end|>", pad_token: "<|endoftext|>", bos_token: null, model_max_length: 128,
      added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [String(id), token])),
      chat_template: "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '<|im_end|>\\n' }}{% endfor %}",
    },
  };
}
