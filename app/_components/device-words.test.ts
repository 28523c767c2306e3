import { describe, expect, it } from "vitest";
import { whyNotQuicker } from "./device-words";

const report = (reason: string, details?: string) => ({ kind: "wasm" as const, threads: 1, reason, ...(details === undefined ? {} : { details }) });

describe("whyNotQuicker", () => {
  it("keeps a reason in words", () => {
    expect(whyNotQuicker(report("This browser has no WebGPU."))).toEqual({ words: "This browser has no WebGPU.", details: "" });
  });
  it("puts what the self-test measured, or the runtime said, into the details", () => {
    const raw = "it could not run the test ([WebGPU] Kernel \"Add\" failed. Error: x)";
    expect(whyNotQuicker(report(`The graphics processor failed its self-test: ${raw}.`, "d"))).toEqual({ words: "The graphics processor failed its self-test, so the processor did the work.", details: `${raw}\nd` });
    expect(whyNotQuicker(report("The graphics processor failed its self-test: the gradient of w is off by 3.1 %. The page is not isolated, so only one thread may be used."))).toEqual({
      words: "The graphics processor failed its self-test, so the processor did the work. The page is not isolated, so only one thread may be used.", details: "the gradient of w is off by 3.1 %",
    });
  });
});
