import { describe, expect, it } from "vitest";
import { fault } from "../testing/fault";
import { LARGE_MODEL_DEFAULTS, PROJECTIONS, type SftConfig } from "./config";
import { configFromPeftTrl, configToPeftTrl, SETTING_NAMES, TRL_DEFAULTS } from "./peft-trl";
import { defaultConfig } from "./recipes";

describe("configFromPeftTrl", () => {
  it("takes every setting under its name, none for another", () => {
    const json = {
      learning_rate: 3e-4, lr_scheduler_type: "cosine", warmup_ratio: 0.2, warmup_steps: 7, num_train_epochs: 1.5, max_steps: 60, per_device_train_batch_size: 3,
      gradient_accumulation_steps: 5, max_grad_norm: 0.7, optim: "adamw_bnb_8bit", weight_decay: 0.02, adam_beta1: 0.8, adam_beta2: 0.95, adam_epsilon: 1e-7, max_length: 99,
      packing: true, neftune_noise_alpha: 5, shuffle: false, evaluations: 4, eval_steps: 9, early_stopping_patience: 2, save_steps: 11, seed: 8,
      r: 6, lora_alpha: 13, lora_dropout: 0.3, use_rslora: true, target_modules: ["down_proj", "q_proj"], trainable_token_indices: [5, 3],
    };
    const expected: SftConfig = {
      learningRate: 3e-4, lrSchedulerType: "cosine", warmupRatio: 0.2, warmupSteps: 7, epochs: 1.5, maxSteps: 60, batchSize: 3, gradientAccumulationSteps: 5, maxGradNorm: 0.7,
      optim: "adamw_8bit", weightDecay: 0.02, adamBeta1: 0.8, adamBeta2: 0.95, adamEpsilon: 1e-7, maxLength: 99, packing: true, neftuneNoiseAlpha: 5, shuffle: false,
      evaluations: 4, evalSteps: 9, earlyStoppingPatience: 2, saveSteps: 11, seed: 8,
      lora: { rank: 6, alpha: 13, dropout: 0.3, useRslora: true, targetModules: ["q_proj", "down_proj"], trainableTokenIndices: [5, 3] },
    };
    expect(configFromPeftTrl(json)).toEqual(expected);
    for (const name of Object.keys(json)) { // each moves something by itself
      expect(configFromPeftTrl({ [name]: json[name as keyof typeof json] }), name).not.toEqual(TRL_DEFAULTS);
    }
  });

  it("has TRL's and PEFT's defaults for what is left out or null, or others that are given", () => {
    expect(configFromPeftTrl({})).toEqual(TRL_DEFAULTS);
    expect(TRL_DEFAULTS).toMatchObject({ learningRate: 2e-5, epochs: 3, batchSize: 8, gradientAccumulationSteps: 1, warmupRatio: 0, maxLength: 1024, seed: 42, lora: { rank: 8, alpha: 8, dropout: 0 } });
    expect(configFromPeftTrl({ neftune_noise_alpha: null, target_modules: null, max_length: null })).toEqual(TRL_DEFAULTS);
    expect(configFromPeftTrl({ seed: 3 }, { defaults: LARGE_MODEL_DEFAULTS })).toEqual({ ...LARGE_MODEL_DEFAULTS, seed: 3 });
  });

  it("reads back what it writes", () => {
    for (const config of [TRL_DEFAULTS, LARGE_MODEL_DEFAULTS, defaultConfig(11e6, 5000), { ...LARGE_MODEL_DEFAULTS, maxSteps: 9, warmupSteps: 2, optim: "adamw_8bit", neftuneNoiseAlpha: 5 } as const]) {
      expect(configFromPeftTrl(JSON.parse(JSON.stringify(configToPeftTrl(config))))).toEqual(config);
    }
  });

  it("takes the forms that transformers and PEFT allow", () => {
    expect(configFromPeftTrl({ target_modules: "all-linear" }).lora.targetModules).toEqual(PROJECTIONS);
    expect(configFromPeftTrl({ max_steps: -1 }).maxSteps).toBe(0);
    expect(configFromPeftTrl({ warmup_steps: 0.1 })).toMatchObject({ warmupRatio: 0.1, warmupSteps: 0 });
    expect(configFromPeftTrl({ warmup_steps: 0, warmup_ratio: 0.1 })).toMatchObject({ warmupRatio: 0.1, warmupSteps: 0 });
    expect(configFromPeftTrl({ target_modules: "All-Linear" }).lora.targetModules).toEqual(PROJECTIONS);
    for (const optim of ["adamw_torch", "adamw_torch_fused"]) expect(configFromPeftTrl({ optim }).optim).toBe("adamw");
    for (const optim of ["adamw_8bit", "paged_adamw_8bit"]) expect(configFromPeftTrl({ optim }).optim).toBe("adamw_8bit");
    expect(configFromPeftTrl({ bias: "none", task_type: "CAUSAL_LM", bf16: false, output_dir: "out", logging_steps: 1, gradient_checkpointing: true })).toEqual(TRL_DEFAULTS);
  });

  it("refuses a name it does not know, and lists those it does", () => {
    for (const name of ["learning_rat", "lr", "learningRate", "__proto__", "constructor", "toString"]) {
      const error = fault(() => configFromPeftTrl(JSON.parse(`{"${name}":1}`)));
      expect(error.code).toBe("train/settings");
      expect(error.message).toContain(name);
      for (const known of SETTING_NAMES) expect(error.next).toContain(known);
    }
  });

  it.each<[string, unknown]>([
    ["a list", []], ["nothing", null], ["text", "x"],
    ["a rate in words", { learning_rate: "fast" }], ["a rate below nothing", { learning_rate: -1 }], ["half a batch", { per_device_train_batch_size: 1.5 }],
    ["an unknown schedule", { lr_scheduler_type: "polynomial" }], ["an unknown optimizer", { optim: "sgd" }], ["an inherited optimizer", { optim: "toString" }],
    ["packing in words", { packing: "yes" }], ["an unknown module", { target_modules: ["q_proj", "lm_head"] }], ["a pattern", { target_modules: ".*proj" }], ["a name that PEFT takes for a pattern", { target_modules: "q_proj" }], ["no module", { target_modules: [] }],
    ["biases", { bias: "all" }], ["DoRA", { use_dora: true }], ["half precision", { bf16: true }], ["another start", { init_lora_weights: "pissa" }], ["rank 0", { r: 0 }], ["rows of packing without a length", { packing: true, max_length: null }], ["checkpoints once an epoch", { save_strategy: "epoch" }],
  ])("refuses %s", (_, json) => {
    expect(fault(() => configFromPeftTrl(json)).code).toBe("train/settings");
  });
});
