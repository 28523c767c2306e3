"use client";
/** The policy's text as the server sent it with this page: asked for only when it is opened, and then in the list like any other request. */
import { useState } from "react";
import { CopyButton } from "../_components/copy-button";
import { sentPolicy } from "../_engine/policy";

export function Policy() {
  const [policy, setPolicy] = useState<{ text: string | null } | "unasked">("unasked");
  const ask = (): void => {
    if (policy === "unasked") void sentPolicy().then((text) => setPolicy({ text }));
  };
  return (
    <details className="folded" data-testid="policy" onToggle={(event) => { if (event.currentTarget.open) ask(); }}>
      <summary>The policy, as this site sent it</summary>
      {policy === "unasked" ? <p className="quiet">Asking…</p>
        : policy.text === null ? <p>It could not be asked for just now, or this server sends none. The developer tools show it among the headers of the page.</p>
        : (
          <>
            <code className="code code-wrap" tabIndex={0} data-testid="policy-text">{policy.text.split("; ").join(";\n")}</code>
            <div className="mt-2"><CopyButton text={policy.text} what="the policy" /></div>
          </>
        )}
    </details>
  );
}
