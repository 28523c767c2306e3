"use client";
/** Asks before something is gone for good, in words, in the browser's own modal dialog. */
import { useEffect, useId, useRef, useState } from "react";
import { ErrorNote } from "./error-note";

interface Question {
  title: string;
  /** What will be gone, and what stays. */
  body: string;
  /** The verb of the deed. */
  action: string;
  onConfirm: () => Promise<void>;
}

/** Mounted while it is asked; `onClose` unmounts it. */
export function Confirm({ title, body, action, onConfirm, onClose }: Question & { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (fault) {
      setError(fault);
      setBusy(false);
    }
  };
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={id} onCancel={(event) => { event.preventDefault(); if (!busy) onClose(); }}>
      <h2 id={id} className="section-title">{title}</h2>
      <p className="mt-2 [overflow-wrap:anywhere]">{body}</p>
      {error !== null && <div className="mt-4"><ErrorNote error={error} /></div>}
      <div className="actions mt-6">
        <button type="button" className="button" autoFocus onClick={onClose} disabled={busy}>Keep it</button>
        <button type="button" className="button button-danger" data-testid="confirm" onClick={() => void confirm()} disabled={busy}>{busy ? "Deleting…" : action}</button>
      </div>
    </dialog>
  );
}
