/**
 * Hooks into the browser's own interfaces, set before the engine uses them:
 * faults of the graphics device, and counts of what is held on it and in wasm.
 */

/** "wrong gradients": a kernel that only the backward pass uses is off by 10 %, the loss stays right. */
export type Fault = "absent" | "no adapter" | "throws" | "refuses" | "lost at once" | "wrong gradients";

function override<T extends object, A extends unknown[], R>(prototype: T, name: string, replacement: (original: (...args: A) => R, self: T, ...args: A) => unknown): void {
  const original = Object.getOwnPropertyDescriptor(prototype, name)!.value as (this: T, ...args: A) => R;
  Object.defineProperty(prototype, name, {
    value(this: T, ...args: A) {
      return replacement((...inner) => original.apply(this, inner), this, ...args);
    },
    configurable: true,
    writable: true,
  });
}

type RequestDevice = (descriptor?: GPUDeviceDescriptor) => Promise<GPUDevice>;

export function breakGpu(fault: Fault): void {
  switch (fault) {
    case "absent":
      return void Object.defineProperty(navigator, "gpu", { value: undefined });
    case "no adapter":
      return override(GPU.prototype, "requestAdapter", () => Promise.resolve(null));
    case "throws":
      return override(GPU.prototype, "requestAdapter", () => Promise.reject(new Error("the driver is gone")));
    case "refuses":
      return override(GPUAdapter.prototype, "requestDevice", () => Promise.reject(new DOMException("limits not met", "OperationError")));
    case "lost at once":
      return override(GPUAdapter.prototype, "requestDevice", async (requestDevice: RequestDevice, _, descriptor) => {
        const device = await requestDevice(descriptor);
        device.destroy();
        return device;
      });
    case "wrong gradients":
      return override(GPUDevice.prototype, "createShaderModule", (create: (descriptor: GPUShaderModuleDescriptor) => GPUShaderModule, _, descriptor) =>
        create({ ...descriptor, code: spoil(descriptor.code) }));
  }
}

/** How many kernels "wrong gradients" has altered: none would be no fault. */
export const spoiled = { kernels: 0 };

/** The kernel of Pow, which no forward pass contains. */
const spoil = (wgsl: string) =>
  wgsl.replace(/(fn pow_v\([^{]*\{\s*return )/g, (head: string) => {
    spoiled.kernels++;
    return `${head}1.1 * `;
  });

/** Devices that were opened, the newest last. */
export const devices: GPUDevice[] = [];

/** Of each of them, whether it is gone by now. */
export const lostDevices = () =>
  Promise.all(devices.map((device) => Promise.race([device.lost.then(() => true), new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 200))])));

/** Buffers created and not destroyed, on all devices. */
export const held = { buffers: 0, bytes: 0 };

/** Memories of wasm instances. */
export const memories: WebAssembly.Memory[] = [];

export function wasmBytes(): number {
  return memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}

/** Once, before anything is opened. */
export function watch(): void {
  const { Memory } = WebAssembly;
  WebAssembly.Memory = new Proxy(Memory, {
    construct(target, args: [WebAssembly.MemoryDescriptor]) {
      const memory = new target(...args);
      memories.push(memory);
      return memory;
    },
  });
  if (typeof GPUAdapter === "undefined") return;
  override(GPUAdapter.prototype, "requestDevice", async (requestDevice: RequestDevice, _, descriptor) => {
    const device = await requestDevice(descriptor);
    devices.push(device);
    return device;
  });
  const live = new WeakSet<GPUBuffer>();
  override(GPUDevice.prototype, "createBuffer", (create: (descriptor: GPUBufferDescriptor) => GPUBuffer, _, descriptor) => {
    const buffer = create(descriptor);
    live.add(buffer);
    held.buffers++;
    held.bytes += buffer.size;
    return buffer;
  });
  override(GPUBuffer.prototype, "destroy", (destroy: () => undefined, buffer) => {
    if (live.delete(buffer)) {
      held.buffers--;
      held.bytes -= buffer.size;
    }
    destroy();
  });
}
