import { describe, expect, it } from "vitest";
import { findDuplicateKey } from "./strict-json";

describe("findDuplicateKey", () => {
  it("finds a key that stands twice in one object, escaped or not", () => {
    expect(findDuplicateKey('{"a":1,"b":2,"a":3}')).toBe("a");
    expect(findDuplicateKey('{"a":1,"\\u0061":3}')).toBe("a");
    expect(findDuplicateKey('{"x":{"a":[1,{"k":0,"k":1}]}}')).toBe("k");
    expect(findDuplicateKey('{"__proto__":1,"__proto__":2}')).toBe("__proto__");
    expect(findDuplicateKey('{"a\\"":1,"a\\"":2}')).toBe('a"');
  });

  it("is not misled by values, arrays, other objects, or signs inside text", () => {
    for (const json of ['{"a":"a","b":"a"}', '["a","a"]', '[{"a":1},{"a":2}]', '{"a":{"a":{"a":1}},"b":{"a":1}}', '{"a":"{\\"b\\":1,\\"b\\":2}","b":"\\\\"}', '{"a":["b","c"],"b":0,"c":1}', "3", '""']) {
      expect(findDuplicateKey(json), json).toBeNull();
    }
  });
});
