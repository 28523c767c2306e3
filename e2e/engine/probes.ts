/**
 * Hooks into the browser's own interfaces, set before the engine uses them:
 * faults of the graphics device, and counts of what is held on it and in wasm.
 */

/** "wrong gradients": a kernel that only the backward pass uses is off by 10 %, the loss stays right. */
export type Fault = "absent" | "no adapter" | "throws" | "refuses" | "lost at once" | "wrong gradients";

const define = (target: object, name: string, value: unknown) => Object.defineProperty(target, name, { value, configurable: true, writable: true });

export function breakGpu(fault: Fault): void {
  if (fault === "absent") return void define(navigator, "gpu", undefined);
  const { requestDevice } = GPUAdapter.prototype;
  switch (fault) {
    case "no adapter":
      return void define(GPU.prototype, "requestAdapter", () => Promise.resolve(null));
    case "throws":
      return void define(GPU.prototype, "requestAdapter", () => Promise.reject(new Error("the driver is gone")));
    case "refuses":
      return void define(GPUAdapter.prototype, "requestDevice", () => Promise.reject(new DOMException("limits not met", "OperationError")));
    case "lost at once":
      return void define(GPUAdapter.prototype, "requestDevice", async function (this: GPUAdapter, descriptor?: GPUDeviceDescriptor) {
        const device = await requestDevice.call(this, descriptor);
        device.destroy();
        return device;
      });
    case "wrong gradients": {
      const { createShaderModule } = GPUDevice.prototype;
      return void define(GPUDevice.prototype, "createShaderModule", function (this: GPUDevice, descriptor: GPUShaderModuleDescriptor) {
        return createShaderModule.call(this, { ...descriptor, code: spoil(descriptor.code) });
      });
    }
  }
}

/** The kernel of Reciprocal, which no forward pass contains. */
const spoil = (wgsl: string) => wgsl.replace(/= *1\.0 *\/ *a;/g, "=1.1/a;");

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
  const { requestDevice } = GPUAdapter.prototype;
  define(GPUAdapter.prototype, "requestDevice", async function (this: GPUAdapter, descriptor?: GPUDeviceDescriptor) {
    const device = await requestDevice.call(this, descriptor);
    devices.push(device);
    return device;
  });
  const live = new WeakSet<GPUBuffer>();
  const { createBuffer } = GPUDevice.prototype;
  define(GPUDevice.prototype, "createBuffer", function (this: GPUDevice, descriptor: GPUBufferDescriptor) {
    const buffer = createBuffer.call(this, descriptor);
    live.add(buffer);
    held.buffers++;
    held.bytes += buffer.size;
    return buffer;
  });
  const { destroy } = GPUBuffer.prototype;
  define(GPUBuffer.prototype, "destroy", function (this: GPUBuffer) {
    if (live.delete(this)) {
      held.buffers--;
      held.bytes -= this.size;
    }
    destroy.call(this);
  });
}
