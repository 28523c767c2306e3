/**
 * Operators that pick rows: embedding lookup, and selection of distinct rows
 * with a gradient that is again a selection.
 */
import { DuctusError } from "../../../core/errors";
import type { Tensor } from "../graph";
import { concat, expand, reshape } from "./shape";

/**
 * Rows of a table: table [rows, width], indices i32 [n] → [n, width]. Indices may
 * repeat; the gradient adds up (ScatterND with reduction "add").
 */
export function embedding(table: Tensor, indices: Tensor): Tensor {
  const { graph } = table;
  if (table.rank !== 2 || indices.rank !== 1) throw new DuctusError("graph/shape", "An embedding is a matrix looked up by a vector.");
  return graph.node("Gather", [table, indices], { dtype: "f32", shape: [indices.dim(0), table.dim(1)] }, {
    attributes: { axis: 0 },
    gradient: (dy) => {
      const zeros = expand(graph.scalar(0), table.shape); // [rows, width]
      const column = reshape(indices, [indices.dim(0), 1]); // [n, 1]; before the cast, since WebGPU has no int64 reshape
      const at = graph.node("Cast", [column], { dtype: "i64", shape: column.shape }, { attributes: { to: 7 } }); // ScatterND takes int64 only
      const sum = graph.node("ScatterND", [zeros, at, dy], { dtype: "f32", shape: table.shape }, { attributes: { reduction: "add" } });
      return [sum, null];
    },
  });
}

/**
 * Picks distinct rows: x [n, width], rows i32 [m] → [m, width]. `inverse`, i32
 * [n], gives for each row of x its place in `rows`, or m where it was not
 * picked: the gradient is then a lookup too, and nothing is scattered.
 */
export function selectRows(x: Tensor, rows: Tensor, inverse: Tensor): Tensor {
  const { graph } = x;
  return graph.node("Gather", [x, rows], { dtype: "f32", shape: [rows.dim(0), x.dim(1)] }, {
    attributes: { axis: 0 },
    gradient: (dy) => {
      const width = x.dim(1);
      if (typeof width !== "number") throw new DuctusError("graph/shape", "Rows need a known width.");
      const zero = graph.constant("f32", [1, width], new Float32Array(width));
      const padded = concat([dy, zero], 0, "rowsAndZero"); // [m + 1, width]
      return [graph.node("Gather", [padded, inverse], { dtype: "f32", shape: [inverse.dim(0), width] }, { attributes: { axis: 0 } }), null];
    },
  });
}
