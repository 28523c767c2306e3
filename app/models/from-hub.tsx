"use client";
/** Models of the hub: the switch, those that are known, and what has been downloaded. */
import { useId, useState } from "react";
import type { Download } from "../../lib/store/downloads";
import type { KnownModel } from "../../workers/protocol";
import { Confirm } from "../_components/confirm";
import { ErrorNote } from "../_components/error-note";
import { bytes } from "../_components/format";
import { HubSwitch } from "../_components/hub-switch";
import { bitsWords, licenceWords, nameOfRepo, parametersWords } from "../_components/model-words";
import { hubSetting } from "../_state/hub-setting";
import { visitHub } from "../_state/hub-visit";
import { forgetDownload, models, offerDownload } from "../_state/models";
import { useStore } from "../_state/use-store";

export function FromHub() {
  const id = useId();
  const on = useStore(hubSetting, (h) => h.on);
  const { known, downloads, stored, hasStorage } = useStore(models, (m) => m);
  const [error, setError] = useState<unknown>(null);
  const visit = (repo: string | null): void => {
    setError(null);
    try {
      visitHub(repo);
    } catch (fault) {
      setError(fault);
    }
  };
  if (hasStorage === false) return null;
  return (
    <section className="share-section" aria-labelledby={id}>
      <h2 id={id} className="section-title">From the model hub</h2>
      <p className="mt-2 max-w-[38rem]">Larger models that others have made lie on the Hugging Face hub, free to download: a gigabyte or several each, once.</p>
      <HubSwitch />
      {downloads.length > 0 && (
        <>
          <h3 id={`${id}-downloads`} className="label mt-8">Downloaded, and begun</h3>
          <ul className="list-rows mt-2" aria-labelledby={`${id}-downloads`} data-testid="downloads">
            {downloads.map((download) => <DownloadRow key={download.repo} download={download} onGoOn={on === true ? () => visit(download.repo) : null} />)}
          </ul>
        </>
      )}
      {error !== null && <div className="mt-5"><ErrorNote error={error} /></div>}
      {on === true && (
        <>
          <h3 id={`${id}-known`} className="label mt-8">Known to be taught well here</h3>
          <ul className="list-rows mt-2" aria-labelledby={`${id}-known`} data-testid="known-models">
            {known.filter(({ repo }) => !downloads.some((download) => download.repo === repo) && !(stored ?? []).some(({ name }) => name === nameOfRepo(repo))).map((model) => <KnownRow key={model.repo} model={model} onVisit={() => visit(model.repo)} />)}
          </ul>
          <div className="actions mt-4">
            <button type="button" className="link" data-testid="hub-other" onClick={() => visit(null)}>Another one, by its name</button>
          </div>
        </>
      )}
    </section>
  );
}

function KnownRow({ model: { repo, about, parameters, downloadBytes, licence, recommended, weightBytes, warning }, onVisit }: { model: KnownModel; onVisit: () => void }) {
  return (
    <li className="model" data-testid="known-model" data-repo={repo}>
      <h4 className="model-name">{nameOfRepo(repo)}</h4>
      <p className="small quiet">{[parametersWords(parameters), `${bytes(downloadBytes)} to download`, licenceWords(licence), `${bytes(weightBytes)} in memory here, ${bitsWords(recommended)}`].join(" · ")}</p>
      <p className="mt-1">{about}</p>
      {warning !== undefined && <p className="small mt-1 max-w-[38rem]">{warning}</p>}
      <div className="actions mt-2"><button type="button" className="button" data-testid="visit-hub" aria-label={`Download ${nameOfRepo(repo)}`} onClick={onVisit}>Download…</button></div>
    </li>
  );
}

/** @param onGoOn null while the hub is off */
function DownloadRow({ download: { repo, whole, doneBytes, totalBytes }, onGoOn }: { download: Download; onGoOn: (() => void) | null }) {
  const incoming = useStore(models, (m) => m.incoming);
  const [asking, setAsking] = useState(false);
  const name = nameOfRepo(repo);
  return (
    <li className="model" data-testid="download" data-repo={repo} data-whole={whole}>
      <h4 className="model-name">{name}</h4>
      <p className="small quiet">{whole ? `Downloaded, ${bytes(totalBytes)}; not brought in yet` : totalBytes === 0 ? "Begun, and nothing of it can be gone on with" : `Begun: ${bytes(doneBytes)} of ${bytes(totalBytes)} are here`}</p>
      <div className="actions mt-2">
        {whole && <button type="button" className="button" data-testid="offer-download" aria-label={`Bring in ${name}`} disabled={incoming !== null && incoming.state !== "asking"} onClick={() => void offerDownload(repo)}>Bring it in</button>}
        {!whole && onGoOn !== null && <button type="button" className="button" data-testid="go-on-download" aria-label={`Go on with ${name}`} onClick={onGoOn}>Go on</button>}
        <button type="button" className="link" data-testid="delete-download" aria-label={`Delete what was downloaded of ${name}`} onClick={() => setAsking(true)}>Delete</button>
      </div>
      {asking && (
        <Confirm title={`Delete what was downloaded of “${name}”?`} body="It can be downloaded again." action="Delete it" onConfirm={() => forgetDownload(repo)} onClose={() => setAsking(false)} />
      )}
    </li>
  );
}
