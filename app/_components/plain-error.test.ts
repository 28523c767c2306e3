import { describe, expect, it } from "vitest";
import { DuctusError } from "../../lib/core/errors";
import { plainError } from "./plain-error";

describe("plainError", () => {
  it("shows what was foreseen as it is", () => {
    const error = new DuctusError("store/full", "There is no room.", "Make some.", { details: "QuotaExceededError" });
    expect(plainError(error)).toEqual(error.serialize());
    expect(plainError(error.serialize())).toEqual(error.serialize());
  });
  it.each([
    new DuctusError("graph/shape", 'Input "rows" was not given.'),
    new DuctusError("app/invariant", "Internal check failed: ranks differ"),
    new DuctusError("generate/token", "This model has no token 9.", "x", { details: "y" }),
    new TypeError("Cannot read properties of undefined"),
    new DOMException("The requested file could not be read", "NotReadableError"),
    "thrown text",
  ])("puts what was not into the details: %s", (error) => {
    const { message, next, details } = plainError(error);
    expect(message).toMatch(/not foreseen\. Your writing and finished runs are safe\.$/);
    expect(next).toMatch(/^Reload the page/);
    expect(details).toContain(error instanceof Error ? error.message : error);
    if (error instanceof DuctusError && error.details) expect(details).toContain(error.details);
  });
});
