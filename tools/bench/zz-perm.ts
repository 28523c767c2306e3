import { Graph } from "../../lib/train/graph/graph";
import { toOnnx } from "../../lib/train/graph/onnx";
import { gemm } from "../../lib/train/graph/operators/linear";
import { reshape, transpose } from "../../lib/train/graph/operators/shape";
import { f32, Session } from "../../lib/train/runtime/session";
import { openWasm } from "../../lib/train/runtime/web";
const b = await openWasm(Number(process.argv[2]));
const n = 512, c = 1408;
const data = Float32Array.from({ length: n * c }, (_, i) => Math.sin(i));
const time = async (f: (g: Graph, x: any) => any) => {
  const g = new Graph("cpu"); const x = g.input("x", "f32", [n, c]);
  const s = await Session.create(b, toOnnx(g, { y: f(g, x) }));
  const all: number[] = [];
  for (let i = 0; i < 21; i++) { const t = performance.now(); await s.run({ x: f32(data, [n, c]) }); all.push(performance.now() - t); }
  all.sort((p, q) => p - q);
  return all.filter((_, i) => i % 10 === 0).map((v) => v.toFixed(1)).join(" / ");
};
const P = new Float32Array(1024); for (let j = 0; j < 32; j++) P[j * 32 + (j < 16 ? 2 * j : 2 * (j - 16) + 1)] = 1;
console.log("transpose min/median/max", await time((g, x) => reshape(transpose(reshape(x, [n, c / 32, 2, 16]), [0, 1, 3, 2]), [n, c])));
console.log("product   min/median/max", await time((g, x) => reshape(gemm(reshape(x, [n * c / 32, 32]), g.constant("f32", [32, 32], P)), [n, c])));
process.exit(0);
