/**
 * The names of TRL 1.16's SFTConfig and PEFT 0.21's LoraConfig that are known
 * here without being settings: those whose other values ask for something that
 * is not done, and those that change no number. With the settings' own they are
 * all that such files hold. Also which name somebody may have meant.
 */

/** Values that are computed here, as JSON; null, the default, always is. */
export const ONLY: Readonly<Record<string, readonly unknown[]>> = {
  // LoraConfig
  bias: ["none"], task_type: ["CAUSAL_LM"], peft_type: ["LORA"], init_lora_weights: [true], use_dora: [false], fan_in_fan_out: [false], lora_bias: [false],
  exclude_modules: [[]], modules_to_save: [[]], layers_to_transform: [], layers_pattern: [], rank_pattern: [{}], alpha_pattern: [{}], loftq_config: [{}], eva_config: [], corda_config: [],
  lora_ga_config: [], velora_config: [], alora_invocation_tokens: [], use_qalora: [false], monteclora_config: [], layer_replication: [], target_parameters: [], use_bdlora: [false],
  arrow_config: [], kasa_config: [], ensure_weight_tying: [false],
  // What is learned from
  packing_strategy: ["bfd"], completion_only_loss: [true], assistant_only_loss: [false], loss_type: ["nll"], label_smoothing_factor: [0], truncation_mode: ["keep_start"],
  dataset_text_field: ["text"], dataset_kwargs: [{}], chat_template_path: [], eos_token: ["<EOS_TOKEN>"], eval_packing: [false], shuffle_dataset: [false], dataloader_drop_last: [false],
  ignore_data_skip: [false], data_seed: [], train_sampling_strategy: ["random"],
  // How it is computed
  bf16: [false], fp16: [false], bf16_full_eval: [false], fp16_full_eval: [false], auto_find_batch_size: [false], lr_scheduler_kwargs: [{}], optim_args: [], optim_target_modules: [], model_init_kwargs: [{}],
  router_aux_loss_coef: [], resume_from_checkpoint: [],
  // What is measured, kept and sent
  eval_strategy: ["steps"], eval_delay: [0], load_best_model_at_end: [true], metric_for_best_model: ["loss", "eval_loss"], greater_is_better: [false], save_strategy: ["steps"], save_total_limit: [2], push_to_hub: [false],
};

/** Names that change no number: folders, logs, devices, speed, the hub. */
export const PASSED_OVER: ReadonlySet<string> = new Set([
  "output_dir", "run_name", "report_to", "project", "trackio_space_id", "trackio_bucket_id", "trackio_static_space_id", "logging_steps", "logging_strategy", "logging_first_step", "log_on_each_node",
  "logging_nan_inf_filter", "include_num_input_tokens_seen", "log_level", "log_level_replica", "disable_tqdm", "debug", "skip_memory_metrics",
  "use_cpu", "tf32", "do_train", "do_eval", "do_predict", "average_tokens_across_devices", "activation_checkpointing", "activation_checkpointing_kwargs", "gradient_checkpointing", "gradient_checkpointing_kwargs",
  "activation_offloading", "torch_compile", "torch_compile_backend", "torch_compile_mode", "use_liger_kernel", "liger_kernel_config", "use_cache", "torch_empty_cache_steps", "full_determinism",
  "padding_free", "pad_to_multiple_of", "pad_token", "trust_remote_code", "local_rank", "accelerator_config", "parallelism_config", "fsdp", "fsdp_config", "deepspeed",
  "ddp_find_unused_parameters", "ddp_bucket_cap_mb", "ddp_broadcast_buffers", "ddp_static_graph", "ddp_backend", "ddp_timeout",
  "dataloader_num_workers", "dataloader_pin_memory", "dataloader_persistent_workers", "dataloader_prefetch_factor", "dataloader_multiprocessing_context", "dataloader_in_order", "dataset_num_proc",
  "remove_unused_columns", "label_names", "length_column_name", "per_device_eval_batch_size", "prediction_loss_only", "eval_on_start", "eval_do_concat_batches", "eval_use_gather_object",
  "eval_accumulation_steps", "include_for_metrics", "batch_eval_metrics", "save_only_model", "save_on_each_node", "enable_jit_checkpoint", "restore_callback_states_from_checkpoint",
  "hub_token", "hub_private_repo", "hub_model_id", "hub_strategy", "hub_always_push", "hub_revision",
  "auto_mapping", "peft_version", "base_model_name_or_path", "revision", "inference_mode", "megatron_config", "megatron_core", "qalora_group_size", "runtime_config",
]);

/** How others, earlier versions and people call them. */
const CALLED: Readonly<Record<string, string>> = {
  lr: "learning_rate", epochs: "num_train_epochs", num_epochs: "num_train_epochs", steps: "max_steps", batch_size: "per_device_train_batch_size", train_batch_size: "per_device_train_batch_size",
  per_gpu_train_batch_size: "per_device_train_batch_size", grad_accum: "gradient_accumulation_steps", max_seq_length: "max_length", max_seq_len: "max_length", context_length: "max_length",
  rank: "r", lora_r: "r", lora_rank: "r", alpha: "lora_alpha", dropout: "lora_dropout", scheduler: "lr_scheduler_type", lr_scheduler: "lr_scheduler_type", optimizer: "optim", warmup: "warmup_ratio",
  max_gradient_norm: "max_grad_norm", grad_clip: "max_grad_norm", eval_every: "eval_steps", patience: "early_stopping_patience", rslora: "use_rslora", random_seed: "seed",
};

/** The known name that an unknown one most likely stands for; null where none is near. */
export function nearestName(unknown: string, known: readonly string[]): string | null {
  const name = unknown.slice(0, 80).trim().replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[-. ]+/g, "_").toLowerCase();
  if (Object.hasOwn(CALLED, name)) return CALLED[name]!;
  let best: string | null = null, least = Math.max(1, Math.floor(name.length / 4)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Letters to insert, remove, change, or swap with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [], last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
