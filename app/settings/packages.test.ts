import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Lock, packagesByLicence } from "./packages";

const needs = (...names: string[]) => Object.fromEntries(names.map((name) => [name, "*"]));

describe("packages by licence", () => {
  it("are those that are depended on, near or far, each version once", () => {
    const lock: Lock = {
      version: "1",
      packages: {
        "": { dependencies: needs("a", "@x/b", "gone") },
        "node_modules/a": { version: "1.0.0", license: "MIT", dependencies: needs("c", "@x/b") },
        "node_modules/a/node_modules/c": { version: "2.0.0", license: "MIT", dependencies: needs("d") },
        "node_modules/@x/b": { version: "3.0.0", license: "(MIT OR CC0-1.0)", dependencies: needs("a", "c") },
        "node_modules/c": { version: "1.0.0", license: "ISC" },
        "node_modules/d": { version: "4.0.0" },
        "node_modules/unused": { version: "9.0.0", license: "MIT" },
      },
    };
    expect(packagesByLicence(lock)).toEqual([
      { licence: "MIT", packages: ["a 1.0.0", "c 2.0.0"] },
      { licence: "ISC", packages: ["c 1.0.0"] },
      { licence: "MIT OR CC0-1.0", packages: ["@x/b 3.0.0"] },
      { licence: "not said", packages: ["d 4.0.0"] },
    ]);
  });

  it("of the site itself: every one that its package.json names, each with a licence", () => {
    const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), "utf8"));
    const groups = packagesByLicence(read("package-lock.json") as Lock);
    const names = new Set(groups.flatMap(({ packages }) => packages.map((entry) => entry.replace(/ [^ ]+$/, ""))));
    for (const name of Object.keys((read("package.json") as { dependencies: object }).dependencies)) expect(names, name).toContain(name);
    expect(groups.map(({ licence }) => licence)).not.toContain("not said");
  });
});
