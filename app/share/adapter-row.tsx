"use client";
/** One adapter: what it is, its name, its two forms to download, and its deletion. */
import { useRef, useState } from "react";
import { deleteAdapter, renameAdapter, type AdapterInfo } from "../../lib/store/adapters";
import { Confirm } from "../_components/confirm";
import { ErrorNote } from "../_components/error-note";
import { formText } from "../_components/form-text";
import { bytes, date, fileName, perplexities } from "../_components/format";
import { saveAs } from "../_components/save-as";
import { exportFile, exportPeft } from "../_engine/writer";
import { refresh } from "../_state/workspace";

/** @param latest the one that is most likely wanted; its download stands out */
export function AdapterRow({ adapter, latest }: { adapter: AdapterInfo; latest: boolean }) {
  const [busy, setBusy] = useState<"file" | "peft" | null>(null);
  const [asking, setAsking] = useState(false);
  const [withTexts, setWithTexts] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const { report } = adapter;

  const save = async (what: "file" | "peft"): Promise<void> => {
    setBusy(what);
    setError(null);
    try {
      if (what === "file") saveAs(await exportFile(adapter.id), fileName(adapter.name, ".safetensors"), "application/octet-stream");
      else saveAs(await exportPeft(adapter.id, withTexts), fileName(adapter.name, "-peft.zip"), "application/zip");
    } catch (fault) {
      setError(fault);
    }
    setBusy(null);
  };

  return (
    <li className="adapter" data-testid="adapter">
      <Name adapter={adapter} onError={setError} />
      <p className="quiet small">
        {[adapter.runId === undefined ? `Brought in ${date(adapter.createdAt)}` : `Learned ${date(adapter.createdAt)}`, bytes(adapter.fileBytes), report ? `perplexity ${perplexities(report.base.perplexity, report.tuned.perplexity).join(" → ")}` : null].filter(Boolean).join(" · ")}
      </p>
      <div className="actions mt-4">
        <button type="button" className={latest ? "button button-primary" : "button"} data-testid="download-adapter" disabled={busy !== null} onClick={() => void save("file")}>Download as one file</button>
        <button type="button" className="button" data-testid="download-peft" disabled={busy !== null} onClick={() => void save("peft")}>{busy === "peft" ? "Packing…" : "Download for Python (.zip)"}</button>
        <button type="button" className="link quiet" data-testid="delete-adapter" onClick={() => setAsking(true)}>Delete</button>
      </div>
      {adapter.runId !== undefined && (
        <label className="with-texts">
          <input type="checkbox" data-testid="with-texts" checked={withTexts} onChange={(event) => setWithTexts(event.currentTarget.checked)} />
          <span>Put what it wrote into the .zip’s card <span className="quiet small block">A text from before and after, and what it was asked with, which may be lines of yours. Otherwise the card holds counts and numbers only.</span></span>
        </label>
      )}
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

/** As a title, or as a field while it is changed. The files carry the name, so who sends one to others may want another. */
function Name({ adapter, onError }: { adapter: AdapterInfo; onError: (error: unknown) => void }) {
  const [renaming, setRenaming] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const end = (): void => {
    setRenaming(false);
    setTimeout(() => button.current?.focus()); // once it is there again
  };
  const rename = async (name: string): Promise<void> => {
    onError(null);
    try {
      await renameAdapter(adapter.id, name);
      await refresh();
      end();
    } catch (fault) {
      onError(fault);
    }
  };
  if (!renaming) {
    return (
      <div className="adapter-head">
        <h2 className="adapter-name">{adapter.name}</h2>
        <button ref={button} type="button" className="link quiet small" data-testid="rename-adapter" aria-label={`Rename ${adapter.name}`} onClick={() => setRenaming(true)}>Rename</button>
      </div>
    );
  }
  return (
    <form className="adapter-renaming" onSubmit={(event) => { event.preventDefault(); void rename(formText(event.currentTarget, "name")); }} onKeyDown={(event) => { if (event.key === "Escape") end(); }}>
      <input name="name" className="field" defaultValue={adapter.name} aria-label="New name" maxLength={80} autoFocus required onFocus={(event) => event.currentTarget.select()} />
      <button type="submit" className="button">Rename</button>
      <button type="button" className="link quiet" onClick={end}>Leave it</button>
    </form>
  );
}
