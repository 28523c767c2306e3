"use client";
/** One adapter: what it is, its two forms to download, and its deletion. */
import { useState } from "react";
import { DuctusError } from "../../lib/core/errors";
import { deleteAdapter, getAdapter, type AdapterInfo } from "../../lib/store/adapters";
import { Confirm } from "../_components/confirm";
import { ErrorNote } from "../_components/error-note";
import { bytes, date, fileName, perplexities } from "../_components/format";
import { exportPeft } from "../_engine/writer";
import { refresh } from "../_state/workspace";
import { saveAs } from "../_components/save-as";

/** @param latest the one that is most likely wanted; its download stands out */
export function AdapterRow({ adapter, latest }: { adapter: AdapterInfo; latest: boolean }) {
  const [busy, setBusy] = useState<"file" | "peft" | null>(null);
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const { report } = adapter;

  const save = async (what: "file" | "peft"): Promise<void> => {
    setBusy(what);
    setError(null);
    try {
      if (what === "file") {
        const stored = await getAdapter(adapter.id);
        if (stored === null) throw new DuctusError("store/missing", "This adapter is no longer here; it was deleted in another tab.", "Reload the page.");
        saveAs(stored.file, fileName(adapter.name, ".safetensors"), "application/octet-stream");
      } else {
        saveAs(await exportPeft(adapter.id), fileName(adapter.name, "-peft.zip"), "application/zip");
      }
    } catch (fault) {
      setError(fault);
    }
    setBusy(null);
  };

  return (
    <li className="adapter" data-testid="adapter">
      <h2 className="adapter-name">{adapter.name}</h2>
      <p className="quiet small">
        {[adapter.runId === undefined ? `Brought in ${date(adapter.createdAt)}` : `Learned ${date(adapter.createdAt)}`, bytes(adapter.fileBytes), report ? `perplexity ${perplexities(report.base.perplexity, report.tuned.perplexity).join(" → ")}` : null].filter(Boolean).join(" · ")}
      </p>
      <div className="actions mt-4">
        <button type="button" className={latest ? "button button-primary" : "button"} data-testid="download-adapter" disabled={busy !== null} onClick={() => void save("file")}>Download as one file</button>
        <button type="button" className="button" data-testid="download-peft" disabled={busy !== null} onClick={() => void save("peft")}>{busy === "peft" ? "Packing…" : "Download for Python (.zip)"}</button>
        <button type="button" className="link quiet" data-testid="delete-adapter" onClick={() => setAsking(true)}>Delete</button>
      </div>
      {error !== null && <div className="mt-4"><ErrorNote error={error} /></div>}
      {asking && (
        <Confirm
          title="Delete this adapter?"
          body={`“${adapter.name}” of ${date(adapter.createdAt)} will be deleted from this browser. The writing and the curve of its run stay, and so do files you have downloaded.`}
          action="Delete this adapter"
          onConfirm={async () => {
            await deleteAdapter(adapter.id);
            await refresh();
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </li>
  );
}
