"use client";
/** What can be done with a run that is over: a name, its data as a file, another run beside it, its deletion. */
import { useId, useState } from "react";
import { MAX_NAME_LENGTH } from "../../lib/store/hands";
import type { Run } from "../../lib/store/types";
import { Confirm } from "../_components/confirm";
import { ErrorNote } from "../_components/error-note";
import { fileName } from "../_components/format";
import { formText } from "../_components/form-text";
import { saveAs } from "../_components/save-as";
import { remove, rename, runFile } from "../_state/run-records";

interface Props {
  run: Run;
  name: string;
  others: readonly { run: Run; name: string }[];
  besideId: string | null;
  onCompare: (id: string | null) => void;
}

export function RunTools({ run, name, others, besideId, onCompare }: Props) {
  const [open, setOpen] = useState<"name" | "file" | "delete" | null>(null);
  const [withWriting, setWithWriting] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const id = useId();
  const save = async (form: "json" | "csv"): Promise<void> => {
    setError(null);
    try {
      saveAs(await runFile(run, name, form, withWriting), fileName(name, form === "json" ? ".json" : "-curve.csv"), form === "json" ? "application/json" : "text/csv");
    } catch (fault) {
      setError(fault);
    }
  };
  const submit = (form: HTMLFormElement): void => {
    rename(run, formText(form, "name")).then(() => setOpen(null), setError);
  };
  const toggle = (what: "name" | "file"): void => setOpen(open === what ? null : what);
  return (
    <div className="run-tools" data-testid="run-tools">
      <p className="small quiet [overflow-wrap:anywhere]">“{name}”</p>
      <div className="actions">
        <button type="button" className="link" data-testid="rename-run" aria-expanded={open === "name"} onClick={() => toggle("name")}>Rename</button>
        <button type="button" className="link" data-testid="export-run" aria-expanded={open === "file"} onClick={() => toggle("file")}>Save as data</button>
        <button type="button" className="link" data-testid="delete-run" onClick={() => setOpen("delete")}>Delete</button>
      </div>
      {open === "name" && (
        <form className="mt-2" onSubmit={(event) => { event.preventDefault(); submit(event.currentTarget); }}>
          <label className="label" htmlFor={`${id}-name`}>Name of the run</label>
          <input id={`${id}-name`} name="name" className="field" maxLength={MAX_NAME_LENGTH} defaultValue={run.name ?? ""} placeholder={name} autoFocus autoComplete="off" />
          <div className="actions mt-2"><button type="submit" className="button">Rename it</button></div>
          <p className="small quiet mt-1">Empty: by what it is.</p>
        </form>
      )}
      {open === "file" && (
        <div className="mt-2">
          <div className="actions">
            <button type="button" className="button" data-testid="export-json" onClick={() => void save("json")}>All of it (JSON)</button>
            <button type="button" className="button" data-testid="export-csv" onClick={() => void save("csv")}>The curve (CSV)</button>
          </div>
          <label className="setting-check small mt-2"><input type="checkbox" checked={withWriting} onChange={(event) => setWithWriting(event.currentTarget.checked)} /> with the lines it was asked with, which are yours, and the names you gave</label>
        </div>
      )}
      {others.length > 0 && (
        <p className="mt-3">
          <label className="label" htmlFor={`${id}-beside`}>Compare it with</label>
          <select id={`${id}-beside`} className="field" data-testid="compare-with" value={besideId ?? ""} onChange={(event) => onCompare(event.currentTarget.value || null)}>
            <option value="">no other run</option>
            {others.map((other) => <option key={other.run.id} value={other.run.id}>{other.name}</option>)}
          </select>
        </p>
      )}
      {error !== null && <div className="mt-3"><ErrorNote error={error} /></div>}
      {open === "delete" && (
        <Confirm
          title="Delete this run?"
          body={`The curve, the samples and the kept states of “${name}” will be deleted from this browser. What it taught stays under Take away, and so does your writing.`}
          action="Delete this run"
          onConfirm={() => remove(run)}
          onClose={() => setOpen(null)}
        />
      )}
    </div>
  );
}
