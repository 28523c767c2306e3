/**
 * Finds a key that stands twice in one object of a JSON text, which JSON.parse
 * silently lets the last one win (RFC 8259 §4 calls such names unpredictable).
 * Not a parser: the text must already have passed JSON.parse.
 */

/** @returns the first repeated key, unescaped, or null. Linear in the length of the text. */
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
