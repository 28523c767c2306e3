import { describe, expect, it } from "vitest";
import { fault } from "../testing/fault";
import { referenceBytes, referenceJson } from "../testing/reference";
import { readConfigFile, writeConfigFile } from "./config-file";
import { LARGE_MODEL_DEFAULTS, type SftConfig } from "./config";
import { DIAL, dialConfig } from "./dial";
import { nearestName } from "./peft-trl-names";
import { configFromPeftTrl, PEFT_TRL_NAMES, SETTING_NAMES, TRL_DEFAULTS } from "./peft-trl";

const encode = (text: string) => new TextEncoder().encode(text);
const read = (json: unknown) => readConfigFile(encode(JSON.stringify(json)), "settings.json");
const object = (name: string) => referenceJson(`settings/${name}.json`) as Record<string, unknown>;

describe("a file of settings", () => {
  const odd: SftConfig = {
    ...LARGE_MODEL_DEFAULTS, learningRate: 0.1 + 0.2, warmupRatio: 1 / 3, epochs: 1.37, maxSteps: 17, warmupSteps: 3, optim: "adamw_8bit", neftuneNoiseAlpha: 5, packing: true, shuffle: false,
    evalSteps: 7, saveSteps: 9, earlyStoppingPatience: 2, seed: -4.5, lora: { rank: 3, alpha: 7.5, dropout: 0.1, targetModules: ["q_proj", "down_proj"], useRslora: true, trainableTokenIndices: [9, 2] },
  };

  it("reads back exactly what was written, from every position of the dial and from odd settings", () => {
    const configs = [odd, TRL_DEFAULTS, ...DIAL.flatMap((position) => [300, 4000, 123_457].flatMap((words) => [11e6, 5e8].map((parameters) => dialConfig(position, { parameters, words }))))];
    for (const config of configs) {
      expect(readConfigFile(encode(writeConfigFile(config)), "x")).toEqual({ config, leftOut: [], ignored: [] });
      expect(configFromPeftTrl(JSON.parse(writeConfigFile(config)))).toEqual(config); // as the command line reads it
    }
    expect(JSON.parse(writeConfigFile(odd))).toMatchObject({ ductus_config: 1, learning_rate: 0.1 + 0.2, r: 3, target_modules: ["q_proj", "down_proj"] });
  });

  it("may name some settings only, has TRL's defaults for the rest, and says which", () => {
    const { config, leftOut, ignored } = read({ r: 4, learning_rate: null });
    expect(config).toEqual({ ...TRL_DEFAULTS, lora: { ...TRL_DEFAULTS.lora, rank: 4 } });
    expect(leftOut).toContain("lora_alpha");
    expect(leftOut).not.toContain("r");
    expect(leftOut).toHaveLength(27);
    expect(ignored).toEqual([]);
  });

  it("may begin with a byte order mark, and not be something else", () => {
    expect(readConfigFile(encode("\ufeff{\"r\":4}"), "x").config.lora.rank).toBe(4);
    for (const [bytes, says] of [[encode("{"), /cannot be read as JSON/], [encode("[]"), /JSON object/], [Uint8Array.of(0xff, 0xfe), /cannot be read/], [encode('{"r":4,"r":5}'), /"r" stands twice/], [new Uint8Array(2e6), /too large/]] as const) {
      expect(fault(() => readConfigFile(bytes, "mine.json"))).toMatchObject({ code: "train/settings", message: expect.stringMatching(says) as string });
      expect(fault(() => readConfigFile(bytes, "mine.json")).message).toContain("“mine.json”");
    }
  });

  it("of a newer version is refused, and so is a version that is none", () => {
    expect(fault(() => read({ ductus_config: 2 })).message).toMatch(/newer version/);
    expect(fault(() => read({ ductus_config: "1" })).message).toMatch(/ductus_config can only be 1/);
    expect(read({ ductus_config: 1 }).config).toEqual(TRL_DEFAULTS);
  });
});

describe("what TRL and PEFT write of themselves", () => {
  it("holds no name that is not known here", () => {
    for (const name of ["sft-default", "lora-default"]) expect(Object.keys(object(name)).filter((key) => !PEFT_TRL_NAMES.includes(key))).toEqual([]);
    // And nothing is known here that is not theirs but what is ours, left out of their files, or an earlier version's.
    const theirs = new Set([...Object.keys(object("sft-default")), ...Object.keys(object("lora-default"))]);
    expect(PEFT_TRL_NAMES.filter((name) => !theirs.has(name))).toEqual(["ductus_config", "early_stopping_patience", "evaluations", "runtime_config", "shuffle", "warmup_ratio"]);
  });

  it("is read, its defaults as ours of them, and what is done otherwise is named", () => {
    const { config, ignored } = readConfigFile(referenceBytes("settings/sft-default.json"), "x");
    expect(config).toEqual({ ...TRL_DEFAULTS, saveSteps: 500 });
    expect(ignored.filter(({ why }) => !why.includes("nothing that is learned")).map(({ name }) => name)).toEqual(["bf16", "eval_strategy", "load_best_model_at_end"]);
    expect(ignored.map(({ name }) => name)).toContain("output_dir");
    const lora = readConfigFile(referenceBytes("settings/lora-default.json"), "x");
    expect(lora.config.lora).toEqual({ ...TRL_DEFAULTS.lora });
  });

  it("gives every setting that it sets", () => {
    expect(readConfigFile(referenceBytes("settings/sft-filled.json"), "x").config).toEqual({
      ...TRL_DEFAULTS, learningRate: 3e-4, lrSchedulerType: "cosine", warmupRatio: 0.1, epochs: 1.5, maxSteps: 60, batchSize: 3, gradientAccumulationSteps: 5, maxGradNorm: 0.7, weightDecay: 0.02,
      adamBeta1: 0.8, adamBeta2: 0.95, adamEpsilon: 1e-7, maxLength: 99, packing: true, neftuneNoiseAlpha: 5, evalSteps: 9, saveSteps: 9, seed: 8,
    });
    expect(readConfigFile(referenceBytes("settings/lora-filled.json"), "x").config.lora).toEqual({ rank: 6, alpha: 13, dropout: 0.3, useRslora: true, targetModules: ["q_proj", "down_proj"], trainableTokenIndices: [5, 3] });
    // The command line, which promises TRL's numbers, does not pass over half precision.
    expect(fault(() => configFromPeftTrl(object("sft-default"))).message).toMatch(/bf16 can only be false/);
  });
});

describe("what is wrong", () => {
  it("is said of every setting at once, by its name", () => {
    const { message } = fault(() => read({ learning_rate: "fast", max_length: 1, r: 8.5, use_dora: true, optim: "sgd", lora_dropout: 1, rank_pattern: { x: 2 } }));
    expect(message).toMatch(/^7 settings cannot be used: /);
    for (const part of ['learning_rate cannot be "fast"', "max_length must be a whole number from 2 to 32768", "r cannot be 8.5", "use_dora can only be false here", 'optim cannot be "sgd"', "lora_dropout must be a number from 0 (off) to below 1", "rank_pattern can only be {} here"]) expect(message).toContain(part);
    expect(fault(() => read({ max_length: 1 })).message).toBe("max_length must be a whole number from 2 to 32768.");
  });

  it.each([
    ["learning_rat", "learning_rate"], ["learningRate", "learning_rate"], ["lr", "learning_rate"], ["lora-alpha", "lora_alpha"], ["rank", "r"], ["max_seq_length", "max_length"], ["epochs", "num_train_epochs"],
    ["warmup_step", "warmup_steps"], ["neftune_alpha", null], ["gradient_acumulation_steps", "gradient_accumulation_steps"], ["target_moduels", "target_modules"], ["wait", null], ["__proto__", null],
  ])("an unknown name, %s, is an error that suggests %s and lists the settings", (name, nearest) => {
    expect(nearestName(name, PEFT_TRL_NAMES)).toBe(nearest);
    const error = fault(() => readConfigFile(encode(`{"${name}":1}`), "x"));
    expect(error).toMatchObject({ code: "train/settings", message: `There is no setting “${name}”.` });
    if (nearest === null) expect(error.next).not.toContain("Did you mean");
    else expect(error.next).toContain(`Did you mean ${nearest}?`);
    for (const known of SETTING_NAMES) expect(error.next).toContain(known);
  });
});
