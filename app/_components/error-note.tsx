"use client";
/** The one way an error is shown: what happened and is safe, what to do, and the particulars folded away for copying. */
import type { ReactNode } from "react";
import { CopyButton } from "./copy-button";
import { plainError } from "./plain-error";

export function ErrorNote({ error, children }: { error: unknown; children?: ReactNode }) {
  const fault = plainError(error);
  const details = `${fault.code}\n${fault.message}${fault.details ? `\n${fault.details}` : ""}`;
  return (
    <div className="note" role="alert" data-testid="error" data-code={fault.code}>
      <p className="note-title">{fault.message}</p>
      {fault.next && <p>{fault.next}</p>}
      {children && <div className="actions mt-3">{children}</div>}
      <details className="folded">
        <summary className="small">Details for a bug report</summary>
        <code className="code code-wrap">{details}</code>
        <div className="mt-2"><CopyButton text={details} what="the details" /></div>
      </details>
    </div>
  );
}
