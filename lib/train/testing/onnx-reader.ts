/** Reads finished ONNX models, apart from our writer, for tests. Never part of the product. */

/** A field of a message: a number where it is a varint, bytes where it has a length. */
interface Field { field: number; value: number | Uint8Array }

/** Reads one level of a message, after the encoding guide and apart from our writer. */
function fields(bytes: Uint8Array): Field[] {
  const out: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0, factor = 1;
    for (;;) {
      const byte = bytes[at++]!;
      value += (byte & 127) * factor;
      factor *= 128;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) out.push({ field: tag >> 3, value: varint() });
    else {
      const length = wire === 2 ? varint() : wire === 5 ? 4 : 8;
      out.push({ field: tag >> 3, value: bytes.subarray(at, (at += length)) });
    }
  }
  return out;
}
/** Values of the fields of a number. */
export const all = (bytes: Uint8Array, field: number) => fields(bytes).filter((f) => f.field === field).map((f) => f.value as Uint8Array);
export const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** [type, inputs, outputs] of each node of a model. */
export const nodesOf = (model: Uint8Array) =>
  all(all(model, 7)[0]!, 1).map((node) => [text(all(node, 4)[0]!), all(node, 1).map(text), all(node, 2).map(text)] as const);
