/** Measures with a line for each writer: the figure, its interval as a band on a common scale, and a sentence. */
import type { Line, Measure } from "./measure-words";

export function MeasureTable({ caption, measures }: { caption: string; measures: readonly Measure[] }) {
  return (
    <table className="measures">
      <caption>{caption}</caption>
      <colgroup><col /><col /><col /><col /></colgroup>
      {measures.map((measure) => <Rows key={measure.id} measure={measure} />)}
    </table>
  );
}

function Rows({ measure: { id, name, meaning, lines, write, unit, sentence } }: { measure: Measure }) {
  const ends = lines.flatMap(({ value, low, high }) => [value, low, high]).filter((end) => end !== null);
  const low = Math.min(...ends), span = Math.max(...ends) - low || 1;
  const place = (value: number): number => 2 + (96 * (value - low)) / span;
  return (
    <tbody data-testid={`measure-${id}`}>
      <tr><th colSpan={4} scope="rowgroup" className="measure-name">{name} <span>{meaning}</span></th></tr>
      {lines.map((line) => (
        <tr key={line.id} className="measure-line" data-who={line.who}>
          <th scope="row" title={line.name}><span>{line.name}</span></th>
          <td className="measure-value">{line.value === null ? "–" : write(line.value) + unit(line.value)}</td>
          <td className="measure-interval">{line.low === null || line.high === null ? "" : `${write(line.low)} to ${write(line.high)}${unit(line.high)}`}</td>
          <td className="measure-band">{line.value !== null && <Band line={line} place={place} />}</td>
        </tr>
      ))}
      {sentence !== "" && <tr><td colSpan={4} className="measure-sentence">{sentence}</td></tr>}
    </tbody>
  );
}

function Band({ line: { value, low, high }, place }: { line: Line; place: (value: number) => number }) {
  return (
    <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      {low !== null && high !== null && <rect x={place(low)} width={Math.max(0.5, place(high) - place(low))} y="1" height="8" fill="currentColor" opacity="0.28" />}
      {value !== null && <line x1={place(value)} x2={place(value)} y1="0" y2="10" stroke="currentColor" strokeWidth="2.5" vectorEffect="non-scaling-stroke" />}
    </svg>
  );
}
