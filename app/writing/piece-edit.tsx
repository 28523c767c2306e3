"use client";
/** A piece to be edited in its own type. What is typed stays, wherever the person turns, until it is kept or let go. */
import { useState } from "react";
import type { StoredDocument } from "../../lib/store/types";
import { ErrorNote } from "../_components/error-note";
import { drafts, keepEdit, setDraft } from "../_state/pieces";
import { useStore } from "../_state/use-store";

export function PieceEdit({ document, onKept }: { document: StoredDocument; onKept: () => void }) {
  const draft = useStore(drafts, (all) => all[document.id]?.text) ?? document.text;
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const changed = draft !== document.text;
  const keep = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await keepEdit(document, draft);
      onKept();
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => { event.preventDefault(); if (!busy && changed) void keep(); }}
      onKeyDown={(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit(); }}
    >
      <textarea className="field field-text piece-edit" aria-label={`The text of “${document.name}”`} data-testid="edit-text" value={draft} autoFocus spellCheck onChange={(event) => setDraft(document.id, { text: event.currentTarget.value, before: document.text })} />
      {error !== null && <ErrorNote error={error} />}
      <p className="actions mt-2">
        <button type="submit" className="button" disabled={busy || !changed} data-testid="keep-edit">{busy ? "Keeping…" : "Keep the changes"}</button>
        <button type="button" className="link" onClick={() => setDraft(document.id, null)}>{changed ? "Let the changes go" : "Close"}</button>
      </p>
    </form>
  );
}
