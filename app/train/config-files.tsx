"use client";
/** Settings as a file to save and load, and as a link; what came of the last one. Dropping works on the whole window. */
import { useState } from "react";
import type { Hand } from "../../lib/store/types";
import { CopyButton } from "../_components/copy-button";
import { ErrorNote } from "../_components/error-note";
import { FilePicker } from "../_components/file-picker";
import { fileName, plural } from "../_components/format";
import { saveAs } from "../_components/save-as";
import { configBytes, linkTo, recipeFile, takeConfigFile, undoTaken, type Taken } from "../_state/recipe-file";
import { useStore } from "../_state/use-store";
import type { RecipeView } from "./use-recipe";

export function ConfigFiles({ hand, view: { recipe, config, situation, faults } }: { hand: Hand; view: RecipeView }) {
  const { taken, error } = useStore(recipeFile, (f) => f);
  const [linking, setLinking] = useState(false);
  const usable = faults.length === 0;
  return (
    <div className="config-files">
      <div className="actions">
        <button type="button" className="button" data-testid="save-config" disabled={!usable} onClick={() => saveAs(configBytes(config), fileName(`${hand.name} settings`, ".json"), "application/json")}>Save these as a file</button>
        <FilePicker className="button" testId="config-file" accept=".json,application/json" onFiles={([file]) => { if (file !== undefined) void takeConfigFile(file, situation); }}>Load a file</FilePicker>
        <button type="button" className="link" data-testid="config-link" disabled={!usable} aria-expanded={linking} onClick={() => setLinking(!linking)}>As a link</button>
      </div>
      {linking && usable && <Link address={linkTo(`${location.origin}${location.pathname}`, recipe, situation)} />}
      {taken !== null && <TakenNote taken={taken} />}
      {error !== null && <div className="mt-3"><ErrorNote error={error} /></div>}
    </div>
  );
}

function Link({ address }: { address: string }) {
  return (
    <div className="mt-3">
      <p className="small quiet">Whoever opens it here has the same settings. It holds none of your writing, and what stands behind its # is sent nowhere.</p>
      <code className="code code-wrap" data-testid="config-address">{address}</code>
      <div className="mt-2"><CopyButton text={address} what="the link" /></div>
    </div>
  );
}

function TakenNote({ taken: { name, settings, leftOut, ignored } }: { taken: Taken }) {
  return (
    <div className="note mt-3" role="status" data-testid="config-taken">
      <p>{name === null ? "The settings of the link were taken" : `“${name}” was read: ${plural(settings, "setting")}`}. <button type="button" className="link" onClick={undoTaken}>Undo</button></p>
      {leftOut.length > 0 && <p className="small quiet">It leaves out {leftOut.join(", ")}: these have the values that TRL and PEFT give them.</p>}
      {ignored.map((one) => <p key={one.name} className="small quiet">{one.name} makes no difference here: {one.why}.</p>)}
    </div>
  );
}
