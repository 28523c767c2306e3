"use client";
/** All that is the person's as one file, and such a file taken in, with what came of it. */
import { useState } from "react";
import { countStorage } from "../_engine/keeper";
import { ErrorNote } from "../_components/error-note";
import { FilePicker } from "../_components/file-picker";
import { bytes, plural } from "../_components/format";
import { saveAs } from "../_components/save-as";
import { everything, openAll, saveAll, savedBytes, stopAll, type Ended, type Going } from "../_state/everything";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { openedWords } from "./opened-words";

export function SaveAndOpen() {
  const { going, ended, fault } = useStore(everything, (e) => e);
  const hands = useStore(workspace, (w) => w.hands);
  const [counting, setCounting] = useState(false);
  const save = async (): Promise<void> => {
    setCounting(true);
    const usage = await countStorage().catch(() => null); // then it is not known how far it will go
    setCounting(false);
    await saveAll((file, name) => saveAs(file, name, "application/zip"), usage === null ? null : savedBytes(usage));
  };
  const busy = going !== null || counting;
  return (
    <>
      <p className="mt-2">Every hand with its writing, runs, adapters and conversations, as one .zip: a copy to keep, or to open on another device. Models are not in it, as they can be had again.</p>
      <div className="actions mt-4">
        <button type="button" className="button" data-testid="save-everything" disabled={busy || hands.length === 0} onClick={() => void save()}>Save everything</button>
        <FilePicker className="button" testId="open-everything" accept=".zip" disabled={busy} onFiles={([file]) => { if (file !== undefined) void openAll(file); }}>Open it here…</FilePicker>
        {hands.length === 0 && <p className="small quiet">There is nothing to save yet.</p>}
      </div>
      <p className="small quiet mt-2">Opening adds hands that are not here. One that is here already stays as it is.</p>
      {going !== null && <Progress going={going} />}
      <div role="status">{going === null && ended !== null && <Result ended={ended} />}</div>
      {fault !== null && <div className="mt-4"><ErrorNote error={fault.error} /></div>}
    </>
  );
}

function Progress({ going }: { going: Going }) {
  const [done, total] = going.what === "saving" ? [going.bytes, going.expected ?? 0] : [going.done, going.total];
  const share = total === 0 ? null : Math.min(1, done / total);
  const percent = Math.round((share ?? 0) * 100);
  return (
    <div className="mt-5" data-testid="everything-going">
      <p>{going.what === "saving" ? "Gathering everything into one file" : `Reading “${going.name}”`}</p>
      <div className="stroke run-stroke" role="progressbar" aria-label="Done so far" aria-valuemin={0} aria-valuemax={100} {...(share === null ? {} : { "aria-valuenow": percent })} data-unknown={share === null}>
        <span style={{ width: `${percent}%` }} />
      </div>
      <p className="going-line">
        {going.what === "saving" ? `${bytes(going.bytes)}${going.expected === null ? "" : `, of ${bytes(going.expected)} at most`}` : going.total === 0 ? " " : `Hand ${going.done + 1} of ${going.total}`}
      </p>
      <button type="button" className="button mt-2" data-testid="stop-everything" disabled={going.stopping} onClick={stopAll}>{going.stopping ? "Stopping…" : "Stop"}</button>
    </div>
  );
}

function Result({ ended }: { ended: Ended }) {
  switch (ended.what) {
    case "saved":
      return (
        <div className="mt-4" data-testid="saved">
          <p>“{ended.name}” has been handed to the browser: {plural(ended.hands, "hand")}, {bytes(ended.bytes)}. It holds your writing, so keep it as you would keep that.</p>
          {ended.leftOut.length > 0 && (
            <details className="folded">
              <summary>{plural(ended.leftOut.length, "thing is", "things are")} damaged, and not in it</summary>
              <ul className="mt-1 space-y-1 small">{ended.leftOut.map(({ message, details }, i) => <li key={i}>{message} <span className="quiet [overflow-wrap:anywhere]">{details}</span></li>)}</ul>
            </details>
          )}
        </div>
      );
    case "opened":
      return (
        <ul className="mt-4 space-y-1" data-testid="opened">
          {openedWords(ended).map((sentence) => <li key={sentence} className="[overflow-wrap:anywhere]">{sentence}</li>)}
        </ul>
      );
    case "stopped":
      return <p className="mt-4" data-testid="everything-stopped">{ended.of === "saving" ? "It was stopped, and no file was made." : "It was stopped. Hands that had come by then stay; the others can be opened another time."}</p>;
    default:
      return ended satisfies never;
  }
}
