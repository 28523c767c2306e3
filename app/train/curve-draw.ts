/**
 * The curve on its canvas, by uPlot, in the colours of the page: training faint,
 * kept-aside text strong, each named at its line; a rule where learning turned
 * into learning by heart. Loaded only where there is a curve. React-free.
 */
import uPlot from "uplot";
import type { CurveData } from "./curve-data";

const HEIGHT = 240;
const FONT = '500 12px "Instrument Sans Variable", system-ui, sans-serif';

export interface CurveDrawing {
  update(data: CurveData, totalSteps: number): void;
  /** Puts the cursor on a point, as the mouse does. */
  pointAt(index: number): void;
  destroy(): void;
}

/** @param onPoint told the index of the point under the cursor, or null */
export function drawCurve(root: HTMLElement, onPoint: (index: number | null) => void): CurveDrawing {
  const colour = (name: string): string => {
    // Through an element, because the canvas cannot resolve light-dark().
    root.style.color = `var(${name})`;
    const value = getComputedStyle(root).color;
    root.style.color = "";
    return value;
  };
  let data: CurveData = { steps: [], train: [], heldOut: [], points: 0, turnedAt: null };
  let totalSteps = 0;
  let plot: uPlot | null = null;

  const build = (): void => {
    plot?.destroy();
    const ink = colour("--ink"), faint = colour("--faint"), rule = colour("--rule"), line = colour("--line");
    const axis: uPlot.Axis = { stroke: faint, font: FONT, ticks: { show: false }, gap: 6 };
    plot = new uPlot(
      {
        width: Math.max(200, root.clientWidth),
        height: HEIGHT,
        padding: [14, 88, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 7, width: 0, fill: (_, i) => (i === 2 ? ink : line) } },
        scales: {
          x: { time: false, range: (_, min, max) => [Math.min(min, 0), Math.max(max, totalSteps, 1)] },
          y: { range: (_, min, max) => spread(min, max) },
        },
        axes: [
          { ...axis, grid: { show: false }, size: 28, space: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
          { ...axis, grid: { stroke: rule, width: 1 }, size: 44, space: 40, incrs: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5], values: (_, ticks, _axis, _space, increment) => ticks.map((t) => t.toFixed(increment < 0.1 ? 2 : 1)) },
        ],
        series: [
          {},
          // A single point has no line to be seen by.
          { stroke: line, width: 1, spanGaps: true, points: { show: () => data.train.filter((value) => value !== null).length === 1, size: 4, fill: line, width: 0 } },
          { stroke: ink, width: 2.25, spanGaps: true, points: { show: true, size: 5, fill: ink, width: 0 } },
        ],
        hooks: {
          draw: [(u) => annotate(u, data, { ink, faint, rubric: colour("--rubric"), paper: colour("--paper") })],
          setCursor: [(u) => onPoint(u.cursor.idx ?? null)],
        },
      },
      [data.steps, data.train, data.heldOut],
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
  // The first drawing may have come before the font.
  void document.fonts.ready.then(() => plot?.redraw());

  return {
    update(next, total) {
      data = next;
      totalSteps = total;
      plot?.setData([data.steps, data.train, data.heldOut]);
    },
    pointAt(index) {
      const step = data.steps[index];
      if (plot === null || step === undefined) return;
      plot.setCursor({ left: plot.valToPos(step, "x"), top: 10 });
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

/** A range with some air, also for a single point. */
function spread(min: number, max: number): [number, number] {
  const air = Math.max((max - min) * 0.12, 0.05);
  return [min - air, max + air];
}

interface Ink {
  ink: string;
  faint: string;
  rubric: string;
  paper: string;
}

/** The names at the ends of the lines, and the rule at the turn. */
function annotate(u: uPlot, data: CurveData, { ink, faint, rubric, paper }: Ink): void {
  const { ctx } = u;
  const px = devicePixelRatio;
  ctx.save();
  ctx.font = FONT.replace("12px", `${12 * px}px`);
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  const ends = [
    { name: "kept aside", values: data.heldOut, fill: ink },
    { name: "training", values: data.train, fill: faint },
  ].flatMap(({ name, values, fill }) => {
    const at = values.findLastIndex((v) => v !== null);
    const value = values[at], step = data.steps[at];
    return value == null || step === undefined ? [] : [{ name, fill, x: u.valToPos(step, "x", true), y: u.valToPos(value, "y", true) }];
  });
  const [first, second] = ends;
  // Both names stand where the longer line ends, lest one line crosses the other's name.
  const right = Math.max(...ends.map(({ x }) => x));
  if (first && second) {
    const overlap = 15 * px - Math.abs(first.y - second.y);
    if (overlap > 0) {
      const up = first.y <= second.y ? first : second, down = up === first ? second : first;
      up.y -= overlap / 2;
      down.y += overlap / 2;
    }
  }
  // Paper around the letters keeps the grid's lines out of them.
  ctx.strokeStyle = paper;
  ctx.lineWidth = 5 * px;
  ctx.lineJoin = "round";
  for (const { name, fill, y } of ends) {
    ctx.strokeText(name, right + 9 * px, y);
    ctx.fillStyle = fill;
    ctx.fillText(name, right + 9 * px, y);
  }
  if (data.turnedAt !== null) {
    const x = Math.round(u.valToPos(data.turnedAt, "x", true));
    ctx.strokeStyle = rubric;
    ctx.lineWidth = px;
    ctx.setLineDash([3 * px, 3 * px]);
    ctx.beginPath();
    ctx.moveTo(x, u.bbox.top);
    ctx.lineTo(x, u.bbox.top + u.bbox.height);
    ctx.stroke();
    ctx.fillStyle = rubric;
    ctx.fillText("best here", x + 6 * px, u.bbox.top + 8 * px);
  }
  ctx.restore();
}
