/** How the commands are called wrongly, and what they say of themselves. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { call, writeTinyAdapter } from "./testing/folders";
import { at, text, useWorkspace } from "./testing/workspace";

useWorkspace();

describe("wrong usage ends with one line that says what is wrong", () => {
  const model = () => ["--model", at("model")];
  const broken = () => { // a model whose weights end too early
    cpSync(at("model"), at("broken"), { recursive: true });
    const file = at("broken", "model.safetensors");
    writeFileSync(file, readFileSync(file).subarray(0, 5000));
    return at("broken");
  };
  const narrow = () => (writeTinyAdapter(at("narrow"), 1, undefined, { hidden_size: 48 }), at("narrow"));
  const blocked = () => (text("a-file", ""), join(at("a-file"), "out"));
  const taken = () => (mkdirSync(at("taken"), { recursive: true }), text("taken/config.json", "{}"), at("taken"));
  const texts = (content: string) => text("w.jsonl", content);

  it.each<[string, () => string[], code: string, says: RegExp]>([
    ["no command", () => [], "app/usage", /Commands: logits, score/],
    ["an unknown command", () => ["train"], "app/usage", /“train”.*Commands: logits/],
    ["an option in the place of the command", () => ["--model", "x"], "app/usage", /“--model”/],
    ["an unknown option", () => ["score", "--modle", "x"], "app/usage", /“--modle”.*--model DIR, --adapter DIR, --texts/],
    ["a bare word", () => ["score", "x"], "app/usage", /“x” is not an option/],
    ["an option without its value", () => ["score", "--model", "--texts"], "app/usage", /--model needs a value/],
    ["an empty value", () => ["sft", ...model(), "--data", "x", "--out", ""], "app/usage", /--out needs a value/],
    ["a switch with a value", () => ["sft", "--resume=yes"], "app/usage", /takes no value/],
    ["an option twice", () => ["score", "--model", "a", "--model", "b"], "app/usage", /twice/],
    ["a required option missing", () => ["logits", ...model()], "app/usage", /needs --text FILE/],
    ["a value that is no number", () => ["generate", ...model(), "--prompts", "x", "--top-p", "much"], "app/usage", /--top-p is “much”.*from 0 up to 1/],
    ["a number out of bounds", () => ["generate", ...model(), "--prompts", "x", "--max-new-tokens", "1.5"], "app/usage", /whole number/],
    ["options that contradict", () => ["generate", ...model(), "--prompts", "x", "--greedy", "--temperature", "1"], "app/usage", /contradict/],
    ["an unknown choice", () => ["quantize", ...model(), "--bits", "3", "--out", at("x")], "app/usage", /8 or 4/],
    ["a missing file", () => ["logits", ...model(), "--text", at("no.txt")], "file/not-found", /no\.txt/],
    ["a folder as a file", () => ["logits", ...model(), "--text", at()], "file/unreadable", /EISDIR/],
    ["bytes that are no text", () => { writeFileSync(at("b.txt"), Uint8Array.of(0xff, 0xfe, 0x41)); return ["logits", ...model(), "--text", at("b.txt")]; }, "file/not-utf8", /UTF-8/],
    ["an empty text", () => ["logits", ...model(), "--text", text("e.txt", "")], "data/empty", /empty/],
    ["a broken line", () => ["score", ...model(), "--texts", texts('{"text":"a"}\n\n{"text":\n')], "data/json-line", /Line 3 of w\.jsonl is not JSON/],
    ["a line of another form", () => ["sft", ...model(), "--data", texts('{"text":"a"}\n{"prompt":"b"}\n'), "--out", at("x")], "data/json-line", /Line 2 of w\.jsonl/],
    ["a file without lines", () => ["score", ...model(), "--texts", texts("\n")], "data/empty", /holds no line/],
    ["a prompt that fills the model", () => ["generate", ...model(), "--prompts", texts(JSON.stringify({ prompt: "rain ".repeat(600) }))], "data/too-long", /line 1 has 601 tokens/],
    ["no new tokens", () => ["generate", ...model(), "--prompts", "x", "--max-new-tokens", "0"], "app/usage", /from 1/],
    ["no folder", () => ["logits", "--model", at("nowhere"), "--text", "x"], "file/not-found", /no folder/],
    ["a file as a folder", () => ["score", "--model", text("a-model", ""), "--texts", "x"], "file/not-found", /no folder/],
    ["a folder below a file", () => ["score", ...model(), "--adapter", join(text("a-model", ""), "adapter"), "--texts", "x"], "file/not-found", /no folder/],
    ["a folder that is no model", () => ["logits", "--model", at(), "--text", "x"], "model/not-a-folder", /no config\.json/],
    ["a damaged model", () => ["score", "--model", broken(), "--texts", texts('{"text":"Rain fell."}')], "model/damaged", /ends too early/],
    ["a folder that is no adapter", () => ["score", ...model(), "--adapter", at("model"), "--texts", "x"], "adapter/not-a-folder", /adapter_config\.json/],
    ["an adapter of another model", () => ["merge", ...model(), "--adapter", narrow(), "--out", at("x2")], "adapter/shapes", /does not fit/],
    ["an unwritable folder", () => ["quantize", ...model(), "--bits", "8", "--out", blocked()], "file/unwritable", /cannot be written/],
    ["a folder that takes no others", () => ["quantize", ...model(), "--bits", "8", "--out", "/proc/ductus/out"], "file/unwritable", /cannot be written/],
    ["a folder with a model in it", () => ["quantize", ...model(), "--bits", "8", "--out", taken()], "file/exists", /holds a model already/],
    ["an unknown setting", () => ["sft", ...model(), "--data", texts('{"text":"a b"}'), "--config", text("c.json", '{"learning_rat":1}'), "--out", at("x")], "train/settings", /learning_rat.*learning_rate/],
    ["settings that are no JSON", () => ["sft", ...model(), "--data", texts('{"text":"a b"}'), "--config", text("c.json", "{"), "--out", at("x")], "train/settings", /cannot be read as JSON: Expected property name/],
    ["a setting twice", () => ["sft", ...model(), "--data", texts('{"text":"a b"}'), "--config", text("c.json", '{"r":8,"r":4}'), "--out", at("x")], "train/settings", /"r" stands twice/],
    ["early stopping without held-out examples", () => ["sft", ...model(), "--data", texts('{"text":"a b"}'), "--config", text("c.json", '{"early_stopping_patience":2}'), "--out", at("x")], "train/settings", /early_stopping_patience does nothing.*--eval/],
    ["two ways to say when to measure", () => ["sft", ...model(), "--data", texts('{"text":"a b"}'), "--eval", at("w.jsonl"), "--config", text("c.json", '{"evaluations":2,"eval_steps":5}'), "--out", at("x")], "train/settings", /contradict/],
    ["packing without a length", () => ["sft", ...model(), "--data", texts('{"text":"a b"}'), "--config", text("c.json", '{"packing":true,"max_length":null}'), "--out", at("x")], "train/settings", /max_length cannot be null/],
    ["a token that there is not", () => ["sft", ...model(), "--data", texts('{"text":"a b"}'), "--config", text("c.json", '{"trainable_token_indices":[3,9000]}'), "--out", at("x")], "train/settings", /token 9000.*0 to 8191/],
    ["an example that the model cannot read", () => ["sft", ...model(), "--data", texts(JSON.stringify({ text: "rain ".repeat(600) })), "--out", at("x")], "data/too-long", /max_length to 512/],
    ["nothing to learn", () => ["sft", ...model(), "--data", texts('{"text":""}'), "--out", at("x")], "data/nothing-to-learn", /single token/],
    ["a conversation for a model without a template", () => {
      cpSync(at("model"), at("plain"), { recursive: true });
      text("plain/tokenizer_config.json", '{"eos_token":"<|im_end|>"}');
      return ["generate", "--model", at("plain"), "--prompts", texts('{"messages":[{"role":"user","content":"x"}]}')];
    }, "model/chat-template", /chat template/],
  ])("%s", async (_, args, code, says) => {
    const result = await call(...args());
    expect(result.code).toBe(1);
    expect(result.lines.length).toBe(1);
    expect(result.error?.code, result.error?.message).toBe(code);
    expect(`${result.error?.message} ${result.error?.nextStep ?? ""}`).toMatch(says);
  });

  it("says what a line of another form is made of, and nothing that it says", async () => {
    const { error } = await call("score", ...model(), "--texts", texts(JSON.stringify({ text: ["secret", 1], prompt: { role: null }, more: "" })));
    expect(error?.details).toBe('It is {"text": a list of a string, "prompt": {"role": null}, "more": a string}.');
    const deep = await call("score", ...model(), "--texts", texts("[".repeat(100_000) + "]".repeat(100_000)));
    expect(deep.error).toMatchObject({ code: "data/json-line", details: "It is a list of a list of a list of a list." });
  });

  it("does not speak of the page", async () => {
    const { error } = await call("score", "--model", broken(), "--texts", texts('{"text":"Rain fell."}'));
    expect(error).toEqual({ code: "model/damaged", message: expect.stringContaining("ends too early") as string });
  });

  it("describes itself on --help", async () => {
    const { code, stdout } = await call("--help");
    expect(code).toBe(0);
    for (const name of ["logits", "score", "generate", "sft", "merge", "quantize"]) {
      expect(stdout).toContain(`  ${name} `);
      const help = await call(name, "--help");
      expect(help.code).toBe(0);
      expect(help.stdout).toMatch(new RegExp(`ductus -- ${name} .*--model DIR`));
      expect(help.stdout.split("\n").every((line) => line.length <= 100)).toBe(true);
    }
  });
});
