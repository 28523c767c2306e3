"use client";
/** A model of one's own: its folder chosen or dropped, what it was found to be, how it is to be held, and how far it has come. */
import { useEffect, useId, useRef, useState } from "react";
import type { Storage } from "../../lib/train/model/held";
import type { ModelOutlook, ModelSourceFile } from "../../workers/protocol";
import { ErrorNote } from "../_components/error-note";
import { FilePicker } from "../_components/file-picker";
import { bytes, roughly } from "../_components/format";
import { bitsWords, parametersWords } from "../_components/model-words";
import { cancelIncoming, declineModel, models, offerModel, takeModel, type Incoming } from "../_state/models";
import { useStore } from "../_state/use-store";

export function BringIn() {
  const { hasStorage, incoming, addedId, stopped, stored, error } = useStore(models, (m) => m);
  const id = useId();
  const added = stored?.find((model) => model.id === addedId);
  const heading = useRef<HTMLHeadingElement>(null);
  const state = incoming?.state ?? null;
  const downloaded = incoming?.download !== undefined;
  const before = useRef(state);
  useEffect(() => {
    // The button that had the focus went with its part of the page.
    const leftPart = before.current === "asking" || before.current === "adding";
    if (leftPart && before.current !== state && document.activeElement === document.body) heading.current?.focus({ preventScroll: true });
    // What was downloaded is offered here, from a button further down.
    if (state === "asking" && before.current !== state && downloaded) heading.current?.focus();
    before.current = state;
  }, [state, downloaded]);
  return (
    <section className="share-section" aria-labelledby={id}>
      <h2 ref={heading} id={id} className="section-title" tabIndex={-1}>Bring in one of your own</h2>
      {hasStorage === false ? (
        <p className="mt-2 max-w-[38rem]" data-testid="no-storage">This browser gives this page no place for large files, so a model of your own cannot be kept here. Private windows and pages without https are often refused one. The model that comes with the site works all the same.</p>
      ) : (
        <>
          <p className="mt-2 max-w-[38rem]">
            A folder as Hugging Face lays it out: config.json, tokenizer.json and the weights, in one .safetensors file or several. Drop it on this page, or choose it. It is read here,
            made smaller for this tab and kept in this browser; nothing is sent anywhere.
          </p>
          {incoming === null && <Pickers />}
          <p className={state === "looking" ? "mt-4 quiet" : "sr-only"} role="status">
            {incoming?.state === "looking" && `Looking at “${incoming.name}”…`}
            {incoming?.state === "asking" && `“${incoming.name}” can be brought in.`}
          </p>
          {incoming?.state === "asking" && <Offer key={incoming.name} outlook={incoming.outlook} downloaded={downloaded} />}
          {incoming?.state === "adding" && <Adding incoming={incoming} />}
        </>
      )}
      {added !== undefined && <p className="mt-4" role="status" data-testid="model-added">“{added.name}” is here now, and will be there again after a reload.</p>}
      {stopped !== null && <p className="mt-4 [overflow-wrap:anywhere]" role="status" data-testid="model-stopped">“{stopped}” was not brought in, and nothing of it was kept.</p>}
      {error !== null && <div className="mt-5"><ErrorNote error={error} /></div>}
    </section>
  );
}

function Pickers() {
  const take = (files: File[]): void => void offerModel(files.map((file): ModelSourceFile => ({ path: file.webkitRelativePath || file.name, file })));
  return (
    <div className="actions mt-4">
      <FilePicker className="button" testId="model-folder" folder onFiles={take}>Choose a folder</FilePicker>
      <FilePicker className="button" testId="model-files" multiple onFiles={take}>Choose its files</FilePicker>
    </div>
  );
}

const LOSS: Record<Storage, string> = {
  f32: "Exactly as it is computed with",
  f16: "As good as exact",
  q8: "Hardly a difference",
  q4: "The smallest; a little of its knowledge is blurred",
};

function Offer({ outlook, downloaded }: { outlook: ModelOutlook; downloaded: boolean }) {
  const [storage, setStorage] = useState(outlook.recommended);
  const group = useId();
  return (
    <div className="offer" data-testid="model-offer">
      <h3 className="model-name">{outlook.name}</h3>
      <p className="quiet small">{[outlook.family, parametersWords(outlook.parameters), `${bytes(outlook.sourceBytes)} to read`, outlook.licence ?? "the folder names no licence"].join(" · ")}</p>
      {outlook.choices.length === 1 ? (
        <p className="mt-4" data-testid="own-form">It was quantised before, and stays as it is: {bitsWords(storage)}, {bytes(outlook.choices[0]?.weightBytes ?? 0)} in memory.</p>
      ) : (
        <fieldset className="mt-4">
          <legend className="label">How it is held in memory</legend>
          {outlook.choices.map((choice) => (
            <label key={choice.storage} className="storage-choice">
              <input type="radio" name={group} value={choice.storage} checked={choice.storage === storage} onChange={() => setStorage(choice.storage)} />
              <span>{bitsWords(choice.storage)}, {bytes(choice.weightBytes)} in memory <span className="quiet small block">{LOSS[choice.storage]}{choice.storage === outlook.recommended && "; suits this device"}</span></span>
            </label>
          ))}
        </fieldset>
      )}
      {outlook.warning !== undefined && <p className="mt-3 max-w-[38rem]">{outlook.warning}</p>}
      {downloaded && <p className="small quiet mt-3">What was downloaded is deleted once the model is in; it could be downloaded again.</p>}
      <div className="actions mt-5">
        <button type="button" className="button button-primary" data-testid="model-take" onClick={() => void takeModel(storage)}>Bring it in</button>
        <button type="button" className="link" onClick={declineModel}>Not this one</button>
      </div>
    </div>
  );
}

function Adding({ incoming: { name, progress, cancelling } }: { incoming: Extract<Incoming, { state: "adding" }> }) {
  const share = progress === null || progress.total === 0 ? null : progress.done / progress.total;
  const percent = share === null ? 0 : Math.round(share * 1000) / 10;
  return (
    <div className="offer" data-testid="model-adding" data-phase={progress?.phase ?? ""} data-done={progress?.done ?? 0}>
      <p role="status">{progress === null ? `Opening “${name}”…` : progress.phase === "reading" ? `Reading “${name}” and making it smaller` : `Keeping “${name}” in this browser`}</p>
      <div className="stroke run-stroke" role="progressbar" aria-label="Done so far" aria-valuemin={0} aria-valuemax={100} {...(share === null ? {} : { "aria-valuenow": Math.round(percent) })} data-unknown={share === null}>
        <span style={{ width: `${percent}%` }} />
      </div>
      <p className="going-line">{progress === null ? " " : `${bytes(progress.done)} of ${bytes(progress.total)}${progress.remainingMs === null ? "" : `, ${roughly(progress.remainingMs)} left`}`}</p>
      <div className="actions mt-3">
        <button type="button" className="button" data-testid="model-cancel" disabled={cancelling} onClick={cancelIncoming}>{cancelling ? "Stopping…" : "Stop, and keep nothing"}</button>
      </div>
    </div>
  );
}
