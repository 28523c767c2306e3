/**
 * Two runs on one canvas, by uPlot: the first solid, the second dashed, held-out
 * text strong and training faint, each named at its line. Loaded only where two
 * are compared. React-free.
 */
import uPlot from "uplot";
import type { RunComparison } from "../../lib/train/sft/compare-runs";

const HEIGHT = 240;
const FONT = '500 12px "Instrument Sans Variable", system-ui, sans-serif';
const DASH = [5, 4];

export interface ComparisonDrawing {
  update(compared: Pick<RunComparison, "train" | "heldOut">): void;
  destroy(): void;
}

export function drawComparison(root: HTMLElement): ComparisonDrawing {
  const colour = (name: string): string => {
    // Through an element, because the canvas cannot resolve light-dark().
    root.style.color = `var(${name})`;
    const value = getComputedStyle(root).color;
    root.style.color = "";
    return value;
  };
  let data: uPlot.AlignedData = [[], [], [], [], []];
  let plot: uPlot | null = null;
  const build = (): void => {
    plot?.destroy();
    const ink = colour("--ink"), faint = colour("--faint"), rule = colour("--rule"), line = colour("--line");
    const axis: uPlot.Axis = { stroke: faint, font: FONT, ticks: { show: false }, gap: 6 };
    const strong = { stroke: ink, width: 2.25, spanGaps: true, points: { show: false } }, quiet = { stroke: line, width: 1, spanGaps: true, points: { show: false } };
    plot = new uPlot(
      {
        width: Math.max(200, root.clientWidth), height: HEIGHT, padding: [14, 88, 0, 0], legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false }, y: { range: (_, min, max) => [min - Math.max(0.05, (max - min) * 0.1), max + Math.max(0.05, (max - min) * 0.1)] } },
        axes: [{ ...axis, grid: { show: false }, size: 28, space: 56 }, { ...axis, grid: { stroke: rule, width: 1 }, size: 44, space: 40, values: (_, ticks, _axis, _space, increment) => ticks.map((t) => t.toFixed(increment < 0.1 ? 2 : 1)) }],
        series: [{}, quiet, { ...quiet, dash: DASH }, strong, { ...strong, dash: DASH }],
        hooks: { draw: [(u) => nameLines(u, ink, colour("--paper"))] },
      },
      data,
      root,
    );
  };
  const resize = new ResizeObserver(() => plot?.setSize({ width: Math.max(200, root.clientWidth), height: HEIGHT }));
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = new MutationObserver(build);
  build();
  resize.observe(root);
  dark.addEventListener("change", build);
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return {
    update({ train, heldOut }) {
      data = uPlot.join([[train.x, train.a, train.b], [heldOut.x, heldOut.a, heldOut.b]]);
      plot?.setData(data);
    },
    destroy() {
      resize.disconnect();
      theme.disconnect();
      dark.removeEventListener("change", build);
      plot?.destroy();
      plot = null;
    },
  };
}

/** “first” and “second” at the ends of the held-out lines. */
function nameLines(u: uPlot, ink: string, paper: string): void {
  const { ctx } = u;
  const px = devicePixelRatio;
  const ends = [{ name: "first", series: 3 }, { name: "second", series: 4 }].flatMap(({ name, series }) => {
    const values = u.data[series] as (number | null)[];
    const at = values.findLastIndex((value) => value != null);
    const value = values[at], x = u.data[0][at];
    return value == null || x === undefined ? [] : [{ name, x: u.valToPos(x, "x", true), y: u.valToPos(value, "y", true) }];
  });
  const [first, second] = ends;
  const overlap = first && second && Math.abs(first.x - second.x) < 60 * px ? 15 * px - Math.abs(first.y - second.y) : 0;
  if (first && second && overlap > 0) {
    const up = first.y <= second.y ? first : second, down = up === first ? second : first;
    up.y -= overlap / 2;
    down.y += overlap / 2;
  }
  ctx.save();
  ctx.font = FONT.replace("12px", `${12 * px}px`);
  ctx.textBaseline = "middle";
  ctx.strokeStyle = paper;
  ctx.lineWidth = 5 * px;
  ctx.lineJoin = "round";
  ctx.fillStyle = ink;
  for (const { name, x, y } of ends) {
    ctx.strokeText(name, x + 9 * px, y);
    ctx.fillText(name, x + 9 * px, y);
  }
  ctx.restore();
}
