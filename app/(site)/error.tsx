"use client";
/** Stands in for a page that broke while it was being shown. */
import { ErrorNote } from "../_components/error-note";

export default function PageError({ error, reset }: { error: Error; reset: () => void }) {
  return (
    <div className="folio-wide">
      <h1 className="title mb-6">This page could not be shown</h1>
      <ErrorNote error={error}>
        <button type="button" className="button" onClick={reset}>Try again</button>
      </ErrorNote>
    </div>
  );
}
