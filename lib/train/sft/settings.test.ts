import { describe, expect, it } from "vitest";
import { fault as thrown } from "../testing/fault";
import { checkConfig } from "./check";
import { LARGE_MODEL_DEFAULTS, type SftConfig } from "./config";
import { DIAL, dialConfig } from "./dial";
import { configFromPeftTrl, configToPeftTrl, VERSION_NAME } from "./peft-trl";
import { settingErrors } from "./setting-errors";
import { differingSettings, valueWords } from "./setting-words";
import { SETTING_GROUPS, settingOf, SETTINGS, valueOf, withValue, type SettingKey } from "./settings";

/** Every leaf of a config, by the table's keys. */
const keysOf = ({ lora, ...rest }: SftConfig): string[] => [...Object.keys(rest), ...Object.keys(lora).map((key) => `lora.${key}`)].sort();

describe("the table", () => {
  it("has every setting once, under the name that files use", () => {
    expect(SETTINGS.map(({ key }) => key).sort()).toEqual(keysOf(LARGE_MODEL_DEFAULTS));
    expect(SETTINGS.map(({ name }) => name).sort()).toEqual(Object.keys(configToPeftTrl(LARGE_MODEL_DEFAULTS)).filter((name) => name !== VERSION_NAME).sort());
    // The name is that of the same setting: a value written under it comes back in its place.
    const odd: Partial<Record<SettingKey, unknown>> = { optim: "adamw_8bit", lrSchedulerType: "cosine", "lora.targetModules": ["up_proj"], "lora.trainableTokenIndices": [7] };
    for (const { key, name, control } of SETTINGS) {
      const value = odd[key] ?? (control === "switch" ? !(valueOf(LARGE_MODEL_DEFAULTS, key) as boolean) : key === "lora.dropout" || key === "warmupRatio" || key.startsWith("adamBeta") ? 0.25 : 3);
      const config = configFromPeftTrl({ [name]: value }, { defaults: LARGE_MODEL_DEFAULTS });
      expect(valueOf(config, key), name).toEqual(value);
      expect(differingSettings(config, LARGE_MODEL_DEFAULTS).map((one) => one.key), name).toEqual([key]);
    }
  });

  it("explains each in one to three sentences, in a group that there is, with a control that fits", () => {
    for (const setting of SETTINGS) {
      expect(SETTING_GROUPS.map(({ id }) => id)).toContain(setting.group);
      expect(setting.meaning, setting.key).toMatch(/^[A-Z0-9].{30,}\.$/);
      expect(setting.meaning.split(/(?<=[.;]) /).length, setting.key).toBeLessThan(5);
      if (setting.control !== "slider" && setting.control !== "number") continue;
      const { range, slider } = setting;
      expect(slider.from).toBeLessThan(slider.to);
      expect(slider.from >= range.least && slider.to <= range.most, setting.key).toBe(true);
      expect(slider.scale === "log" ? slider.from > 0 && slider.step > 1 : slider.step > 0, setting.key).toBe(true);
      if (range.whole === true && slider.scale === "linear") expect(Number.isInteger(slider.from) && Number.isInteger(slider.step)).toBe(true);
      // What the dial gives can be reached by hand.
      for (const position of DIAL) {
        for (const parameters of [11e6, 5e8]) {
          const value = valueOf(dialConfig(position, { parameters, words: 9000 }), setting.key) as number;
          if (value !== 0 && setting.key !== "seed") expect(value >= slider.from && value <= slider.to, `${setting.key} ${value}`).toBe(true);
        }
      }
    }
    for (const { id } of SETTING_GROUPS) expect(SETTINGS.some(({ group }) => group === id)).toBe(true);
  });

  it("knows which settings do nothing beside others", () => {
    const idle = (changes: Partial<SftConfig>) => SETTINGS.filter((setting) => setting.idle?.({ ...LARGE_MODEL_DEFAULTS, ...changes }) != null).map(({ key }) => key);
    expect(idle({})).toEqual([]);
    expect(idle({ maxSteps: 5 })).toEqual(["epochs"]);
    expect(idle({ warmupSteps: 5 })).toEqual(["warmupRatio"]);
    expect(idle({ lrSchedulerType: "constant" })).toEqual(["warmupRatio", "warmupSteps"]);
    expect(idle({ evalSteps: 5 })).toEqual(["evaluations"]);
  });

  it("puts a value in its place and leaves the rest alone", () => {
    const changed = withValue(withValue(LARGE_MODEL_DEFAULTS, "lora.rank", 3), "epochs", 1.5);
    expect(changed).toEqual({ ...LARGE_MODEL_DEFAULTS, epochs: 1.5, lora: { ...LARGE_MODEL_DEFAULTS.lora, rank: 3 } });
  });
});

describe("errors", () => {
  const bad: [SettingKey, unknown, RegExp][] = [
    ["epochs", 0, /^The passes \(epochs\) must be a number above 0, and at most 1000\.$/],
    ["learningRate", -1, /^The learning rate must be a number, 0 or more\.$/],
    ["lora.rank", 1.5, /^The rank must be a whole number from 1 to 1024\.$/],
    ["lora.dropout", 1, /from 0 \(off\) to below 1\.$/],
    ["maxSteps", -1, /from 0 \(as many as the passes give\) to 10000000\.$/],
    ["packing", "yes", /on or off/],
    ["optim", "sgd", /one of adamw, adamw_8bit/],
    ["lora.targetModules", ["q_proj", "q_proj"], /some of q_proj/],
    ["lora.trainableTokenIndices", [1, 1], /each of them once/],
    ["seed", Infinity, /^The seed must be a number\.$/],
  ];

  it.each(bad)("of %s, %j, stand by their field", (key, value, says) => {
    const errors = settingErrors(withValue(LARGE_MODEL_DEFAULTS, key, value as number));
    expect(errors.map((error) => error.key)).toEqual([key]);
    expect(errors[0]!.message).toMatch(says);
    expect(errors[0]!.name).toBe(settingOf(key).name);
  });

  it("come all at once, and the first stops a run", () => {
    const config = bad.reduce((changed, [key, value]) => withValue(changed, key, value as number), LARGE_MODEL_DEFAULTS);
    expect(settingErrors(config).map(({ key }) => key).sort()).toEqual(bad.map(([key]) => key).sort());
    expect(thrown(() => checkConfig(config))).toMatchObject({ code: "train/settings", message: expect.stringContaining(": the passes (epochs) must") as string });
    expect(settingErrors(LARGE_MODEL_DEFAULTS)).toEqual([]);
  });

  it("know what the model allows", () => {
    const config = withValue(withValue(LARGE_MODEL_DEFAULTS, "maxLength", 2049), "lora.trainableTokenIndices", [5, 100]);
    expect(settingErrors(config)).toEqual([]);
    expect(settingErrors(config, { maxPositions: 2049, vocabSize: 101 })).toEqual([]);
    expect(settingErrors(config, { maxPositions: 2048, vocabSize: 100 }).map(({ message }) => message)).toEqual([
      "The longest example must be 2048 tokens or fewer: this model reads no more at once.", "The list of trained tokens must be tokens of this model, 0 to 99.",
    ]);
  });
});

describe("values in words", () => {
  it.each<[SettingKey, Parameters<typeof valueWords>[1], string]>([
    ["epochs", 1, "1 pass"], ["epochs", 1.5, "1.5 passes"], ["maxSteps", 0, "as many as the passes give"], ["maxSteps", 1200, "1,200 steps"], ["learningRate", 0.006, "0.006"], ["learningRate", 2e-5, "2e−5"],
    ["warmupRatio", 0.03, "3 % of the run"], ["adamEpsilon", 1e-8, "1e−8"], ["adamEpsilon", 2.5e-9, "2.5e−9"], ["packing", true, "on"], ["optim", "adamw_8bit", "AdamW in 8 bits"], ["gradientAccumulationSteps", 1, "1 batch"],
    ["lora.targetModules", ["q_proj", "v_proj"], "q_proj, v_proj"], ["lora.targetModules", LARGE_MODEL_DEFAULTS.lora.targetModules, "all seven"], ["lora.trainableTokenIndices", [], "none"], ["weightDecay", 0, "off"],
  ])("%s %j is “%s”", (key, value, words) => {
    expect(valueWords(key, value)).toBe(words);
  });

  it("tell settings apart, but not the order of a list", () => {
    const other = { ...LARGE_MODEL_DEFAULTS, packing: true, lora: { ...LARGE_MODEL_DEFAULTS.lora, targetModules: [...LARGE_MODEL_DEFAULTS.lora.targetModules].reverse() } };
    expect(differingSettings(LARGE_MODEL_DEFAULTS, other)).toEqual([{ key: "packing", name: "packing", label: "Packing", a: "off", b: "on" }]);
  });
});
