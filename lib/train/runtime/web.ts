/**
 * onnxruntime-web as a backend, for workers: plain wasm with threads, or the
 * native WebGPU provider on a device of our own (its asyncify build). The
 * modules are imported only when asked for, so that nobody downloads the GPU
 * build who has no GPU.
 */
import { DuctusError } from "../../core/errors";
import { CANNOT_BE_LOST, watchLoss, type Backend } from "./backend";
import { defaultThreads } from "./threads";

/** One pool of threads for each build of the runtime, as large as was asked for first. */
const settled: { wasm?: number; webgpu?: number } = {};

/** @param wanted threads; where this worker has opened a backend before, that one's count stands */
export async function openWasm(wanted = defaultThreads()): Promise<Backend> {
  const ort = await import("onnxruntime-web/wasm");
  const threads = (settled.wasm ??= wanted);
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
  return {
    kind: "wasm",
    threads,
    ort: ort,
    // Weights in a layout of their own take their room twice and make products no quicker here.
    options: { executionProviders: ["wasm"], graphOptimizationLevel: "all", extra: { session: { disable_prepacking: "1" } } },
    gpu: null,
    features: { f16: true },
    ...CANNOT_BE_LOST,
    dispose: () => Promise.resolve(),
  };
}

/** @throws DuctusError `device/no-webgpu` where there is no adapter, in words that say why. */
export async function openWebGpu(wanted = defaultThreads()): Promise<{ backend: Backend; emulated: boolean }> {
  const gpu = navigator.gpu as GPU | undefined;
  if (!gpu) throw new DuctusError("device/no-webgpu", "This browser has no WebGPU.");
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) throw new DuctusError("device/no-webgpu", "The browser found no graphics processor it can use.");
  const requiredLimits: Record<string, number> = {};
  for (const name of ["maxBufferSize", "maxStorageBufferBindingSize", "maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup",
    "maxComputeWorkgroupSizeX", "maxComputeWorkgroupSizeY", "maxComputeWorkgroupSizeZ", "maxStorageBuffersPerShaderStage"] as const) {
    requiredLimits[name] = adapter.limits[name];
  }
  const features: GPUFeatureName[] = ["shader-f16", "subgroups"];
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures: features.filter((f) => adapter.features.has(f)) });
  const ort = await import("onnxruntime-web/webgpu");
  const threads = (settled.webgpu ??= wanted);
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = "error";
  const backend: Backend = {
    kind: "webgpu",
    threads,
    ort: ort,
    // The object form: with the bare string the provider is never told of the device.
    options: { executionProviders: [{ name: "webgpu", device } as never], graphOptimizationLevel: "all" },
    gpu: device,
    features: { f16: device.features.has("shader-f16") },
    ...watchLoss(device.lost.then((info) => info.message || "The graphics processor was reset.")),
    dispose: () => {
      device.destroy();
      return Promise.resolve();
    },
  };
  return { backend, emulated: adapter.info.isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${adapter.info.vendor} ${adapter.info.architecture} ${adapter.info.description}`) };
}
