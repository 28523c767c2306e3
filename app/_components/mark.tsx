/**
 * The mark: an uncial d in two strokes of a broad nib held at 30 degrees. Each
 * path is a stroke's middle line moved by half the nib to either side, so the
 * thick and thin are those of a pen.
 */
export const STROKES = [
  "M64.5 38.3C42.5 34.3 28.5 46.3 28.5 62.3C28.5 76.3 40.5 85.3 54.5 85.3L41.5 92.8C27.5 92.8 15.5 83.8 15.5 69.8C15.5 53.8 29.5 41.8 51.5 45.8Z",
  "M18.5 16.3C46.5 10.3 84.5 30.3 84.5 58.3C84.5 74.3 72.5 85.3 54.5 85.3L41.5 92.8C59.5 92.8 71.5 81.8 71.5 65.8C71.5 37.8 33.5 17.8 5.5 23.8Z",
] as const;

export function Mark() {
  return (
    <svg viewBox="4 10 84 86" aria-hidden="true" fill="currentColor" stroke="currentColor" strokeWidth="2" strokeLinejoin="round">
      {STROKES.map((d) => <path key={d} d={d} />)}
    </svg>
  );
}

/** The letter with its ductus: which stroke comes first, and which way each goes. */
export function Ductus() {
  return (
    <svg className="ductus" viewBox="-4 0 104 108" role="img" aria-label="The letter d, drawn in two numbered strokes: first the round of the bowl, then the long stroke from the upper left.">
      <g fill="currentColor" stroke="currentColor" strokeWidth="1.2" strokeLinejoin="round" opacity="0.92">
        {STROKES.map((d) => <path key={d} d={d} />)}
      </g>
      <g className="tuned" fill="none" stroke="currentColor" strokeWidth="1">
        <path d="M43 36.5C24 39 10 51 10 67C10 79 16 89 26 95" />
        <path d="M22.4 90.4L26.4 95.2L20.4 95.4" />
        <path d="M24 8C54 4 92 26 92 58C92 70 87 80 78 87" />
        <path d="M83.6 84.8L77.6 87.4L79.4 81.2" />
      </g>
      <g className="tuned" fill="currentColor" fontSize="9" fontFamily="var(--sans)" fontWeight="600">
        <text x="4" y="50">1</text>
        <text x="14" y="9">2</text>
      </g>
    </svg>
  );
}
