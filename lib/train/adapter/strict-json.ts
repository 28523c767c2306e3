/**
 * JSON without repeated keys, of which JSON.parse silently lets the last one
 * win (RFC 8259 §4 calls such names unpredictable). Otherwise no other grammar
 * than JSON.parse's.
 */

/**
 * @param bytes UTF-8, without a byte order mark
 * @throws an Error of any kind where they are not UTF-8, not JSON, or repeat a key
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const json: unknown = JSON.parse(text);
  const twice = findDuplicateKey(text);
  if (twice !== null) throw new SyntaxError(`the key ${JSON.stringify(twice.slice(0, 80))} stands twice in one object`);
  return json;
}

/** @param json must already have passed JSON.parse. @returns the first repeated key, unescaped, or null. Linear in the length of the text. */
export function findDuplicateKey(json: string): string | null {
  const scopes: (Set<string> | null)[] = []; // null: an array
  let expectsKey = false;
  for (let i = 0; i < json.length; i++) {
    switch (json.charCodeAt(i)) {
      case 0x7b: // {
        scopes.push(new Set());
        expectsKey = true;
        break;
      case 0x5b: // [
        scopes.push(null);
        expectsKey = false;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        scopes.pop();
        expectsKey = false;
        break;
      case 0x2c: // , leads to a key inside an object only
        expectsKey = scopes.at(-1) instanceof Set;
        break;
      case 0x22: { // "
        const start = i;
        for (i++; json.charCodeAt(i) !== 0x22; i++) if (json.charCodeAt(i) === 0x5c) i++;
        const keys = scopes.at(-1);
        if (!expectsKey || !keys) break;
        const key = JSON.parse(json.slice(start, i + 1)) as string;
        if (keys.has(key)) return key;
        keys.add(key);
        expectsKey = false;
        break;
      }
    }
  }
  return null;
}
