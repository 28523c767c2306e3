import { describe, expect, it } from "vitest";
import { deserializeError, DuctusError, invariant, serializeError } from "./errors";

describe("DuctusError", () => {
  it("carries code, what happened and what to do, and its cause as details", () => {
    const cause = new RangeError("offset 9");
    const error = new DuctusError("file/damaged", "It broke.", "Mend it.", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error.cause).toBe(cause);
    expect(error.serialize()).toEqual({ code: "file/damaged", message: "It broke.", next: "Mend it.", details: "RangeError: offset 9" });
    expect(new DuctusError("file/damaged", "It broke.", "", { cause, details: "own" }).details).toBe("own");
  });

  it("has no details key where there are none", () => {
    expect(Object.keys(new DuctusError("data/x", "m").serialize())).toEqual(["code", "message", "next"]);
  });

  it("comes back the same from its serialised form, through structured clone", () => {
    for (const error of [new DuctusError("store/full", "Full.", "Free room.", { details: "d" }), new DuctusError("train/x", "m")]) {
      const back = deserializeError(structuredClone(serializeError(error)));
      expect(back).toBeInstanceOf(DuctusError);
      expect(back.serialize()).toEqual(error.serialize());
    }
  });

  it("gives unforeseen faults a code and plain words, and keeps the particulars", () => {
    expect(serializeError(new TypeError("x is undefined"))).toMatchObject({ code: "app/unexpected", details: expect.stringContaining("x is undefined") as string });
    expect(serializeError("thrown text")).toMatchObject({ code: "app/unexpected", details: "thrown text" });
    expect(serializeError(undefined)).toMatchObject({ code: "app/unexpected", details: "undefined" });
  });
});

describe("serializeError", () => {
  it.each([
    [new RangeError("Array buffer allocation failed"), "device/memory"],
    [new Error("WebAssembly.Memory(): could not allocate memory"), "device/memory"],
    [new TypeError("Failed to fetch dynamically imported module: https://a/b.js"), "app/not-loaded"],
  ])("words what browsers say anywhere: %s", (error, code) => {
    expect(serializeError(error)).toMatchObject({ code, message: expect.stringMatching(/\.$/) as string, next: expect.stringMatching(/\.$/) as string, details: expect.stringContaining(error.message) as string });
    expect(Object.keys(serializeError(error)).sort()).toEqual(["code", "details", "message", "next"]);
  });
});

describe("invariant", () => {
  it("throws only where the promise is broken", () => {
    expect(() => invariant(1, "x")).not.toThrow();
    expect(() => invariant(0, "ranks differ")).toThrow(/ranks differ/);
    expect(() => invariant(null, "x")).toThrow(DuctusError);
  });
});
