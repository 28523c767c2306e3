/** When a tab is told that it runs an older build. */
import { expect, it } from "vitest";
import { isOutdated } from "./update";

it("a tab is outdated when the newest kept files lack one that it runs", () => {
  expect(isOutdated(["/a.js", "/b.js"], ["/", "/a.js", "/b.js", "/c.js"])).toBe(false);
  expect(isOutdated(["/a.js", "/b.js"], ["/", "/a.js", "/c.js"])).toBe(true);
});

it("where nothing is kept, nothing can be said", () => {
  expect(isOutdated(["/a.js"], [])).toBe(false);
});
