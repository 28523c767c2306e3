"use client";
/** A model as the hub lists it, and its download while it goes on. */
import type { HubOutlook } from "../../workers/hub-protocol";
import { bytes, roughly } from "../_components/format";
import { bitsWords, parametersWords } from "../_components/model-words";
import { download, putAway, stop, type Hub } from "../_state/hub";

export function Found({ found: { repo, licence, family, parameters, downloadBytes, recommended, weightBytes, warning } }: { found: HubOutlook }) {
  return (
    <div className="offer" data-testid="hub-found">
      <h2 className="model-name">{repo}</h2>
      <dl className="settings-facts mt-3">
        <div><dt>Size</dt><dd>{family}, {parametersWords(parameters)}</dd></div>
        <div><dt>To download</dt><dd>{bytes(downloadBytes)}</dd></div>
        <div><dt>Licence</dt><dd>{licence ?? "none is named"}</dd></div>
        <div><dt>In memory here</dt><dd>{bytes(weightBytes)} with {bitsWords(recommended)} weights, which suit this device; you choose when it is brought in</dd></div>
      </dl>
      {warning !== undefined && <p className="mt-3 max-w-[38rem]" data-testid="hub-warning">{warning}</p>}
      <div className="actions mt-5">
        <button type="button" className="button button-primary" data-testid="hub-download" onClick={() => void download(repo)}>Download it</button>
        <button type="button" className="link" onClick={putAway}>Not this one</button>
      </div>
    </div>
  );
}

export function Going({ going: { repo, progress, stopping } }: { going: NonNullable<Hub["going"]> }) {
  const share = progress === null || progress.totalBytes === 0 ? null : progress.doneBytes / progress.totalBytes;
  const percent = share === null ? 0 : Math.round(share * 1000) / 10;
  return (
    <div className="offer" data-testid="hub-going" data-done={progress?.doneBytes ?? 0}>
      <p role="status" className="[overflow-wrap:anywhere]">Downloading “{repo}”</p>
      <div className="stroke run-stroke" role="progressbar" aria-label="Downloaded so far" aria-valuemin={0} aria-valuemax={100} {...(share === null ? {} : { "aria-valuenow": Math.round(percent) })} data-unknown={share === null}>
        <span style={{ width: `${percent}%` }} />
      </div>
      <p className="going-line">{progress === null ? " " : progress.doneBytes === progress.totalBytes ? "Checking what has come" : `${bytes(progress.doneBytes)} of ${bytes(progress.totalBytes)}${progress.remainingMs === null ? "" : `, ${roughly(progress.remainingMs)} left`}`}</p>
      <p className="small quiet">Leave this page open. If it is closed, or the connection breaks, what has come is kept, and you can go on from there.</p>
      <div className="actions mt-3">
        <button type="button" className="button" data-testid="hub-stop" disabled={stopping} onClick={stop}>{stopping ? "Stopping…" : "Stop for now"}</button>
      </div>
    </div>
  );
}
