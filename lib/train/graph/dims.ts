/**
 * Symbolic dimensions: a dimension is a number, or a monomial of named sizes
 * such as "B*T" or "5*T", kept in one canonical spelling so that equality is
 * string equality. There are no sums: an axis whose size is a sum (past plus
 * new positions) gets a name of its own.
 */
import { DuctusError } from "../../core/errors";

export type Dim = number | string;
export type Shape = readonly Dim[];
/** Values of the named sizes, known when a graph is run. */
export type DimBindings = Readonly<Record<string, number>>;

interface Monomial {
  coefficient: number;
  /** Sorted, with repetition. */
  names: string[];
}

function parse(dim: Dim): Monomial {
  if (typeof dim === "number") return { coefficient: dim, names: [] };
  let coefficient = 1;
  const names: string[] = [];
  for (const factor of dim.split("*")) {
    if (/^\d+$/.test(factor)) coefficient *= Number(factor);
    else if (/^[A-Za-z]\w*$/.test(factor)) names.push(factor);
    else throw new DuctusError("graph/dimension", `"${dim}" is not a dimension.`);
  }
  return { coefficient, names: names.sort() };
}

function format({ coefficient, names }: Monomial): Dim {
  if (names.length === 0 || coefficient === 0) return coefficient;
  return coefficient === 1 ? names.join("*") : `${coefficient}*${names.join("*")}`;
}

/** The canonical spelling. */
export function dim(value: Dim): Dim {
  return format(parse(value));
}

export function product(shape: Shape): Dim {
  let coefficient = 1;
  const names: string[] = [];
  for (const each of shape) {
    const m = parse(each);
    coefficient *= m.coefficient;
    names.push(...m.names);
  }
  return format({ coefficient, names: names.sort() });
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

/** numpy's broadcasting; a symbol broadcasts only against 1 and itself. */
export function broadcast(a: Shape, b: Shape): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - (rank - a.length)] ?? 1;
    const y = b[i - (rank - b.length)] ?? 1;
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw new DuctusError("graph/shape", `Shapes [${a.join(", ")}] and [${b.join(", ")}] do not broadcast.`);
  });
}

/** The number a dimension stands for under the given bindings. */
export function resolve(value: Dim, bindings: DimBindings): number {
  const { coefficient, names } = parse(value);
  return names.reduce((n, name) => {
    const size = bindings[name];
    if (size === undefined) throw new DuctusError("graph/dimension", `The size "${name}" is not bound.`);
    return n * size;
  }, coefficient);
}

/**
 * Learns names from an actual shape. Only plain names bind; products are
 * checked against what is bound once everything has been seen.
 *
 * @throws DuctusError `graph/shape` when ranks, numbers or earlier bindings disagree.
 */
export function bind(name: string, declared: Shape, actual: readonly number[], bindings: Record<string, number>): void {
  const wrong = () =>
    new DuctusError("graph/shape", `Input "${name}" has shape [${actual.join(", ")}], expected [${declared.join(", ")}].`);
  if (declared.length !== actual.length) throw wrong();
  declared.forEach((d, i) => {
    const size = actual[i] as number;
    if (typeof d === "number") {
      if (d !== size) throw wrong();
    } else if (/^[A-Za-z]\w*$/.test(d)) {
      if ((bindings[d] ??= size) !== size) throw wrong();
    }
  });
}
