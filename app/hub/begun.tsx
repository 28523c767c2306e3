"use client";
/** What lies here of earlier downloads. */
import { useId, useState } from "react";
import type { Download } from "../../lib/store/downloads";
import { Confirm } from "../_components/confirm";
import { bytes } from "../_components/format";
import { download, forget, hub, lookUp } from "../_state/hub";
import { useStore } from "../_state/use-store";

export function Begun() {
  const id = useId();
  const { downloads, going, ended } = useStore(hub, (h) => h);
  const shown = (downloads ?? []).filter(({ repo, whole }) => repo !== going?.repo && !(whole && ended?.repo === repo));
  if (shown.length === 0) return null;
  return (
    <section className="share-section" aria-labelledby={id}>
      <h2 id={id} className="section-title">Already here</h2>
      <ul className="list-rows mt-4">
        {shown.map((one) => <Row key={one.repo} download={one} busy={going !== null} />)}
      </ul>
    </section>
  );
}

function Row({ download: { repo, listing, whole, doneBytes, totalBytes }, busy }: { download: Download; busy: boolean }) {
  const [asking, setAsking] = useState(false);
  return (
    <li className="model" data-testid="begun" data-repo={repo} data-whole={whole} data-done={doneBytes}>
      <h3 className="model-name">{repo}</h3>
      <p className="small quiet">{whole ? `${bytes(totalBytes)}, whole` : listing === null ? "What was begun cannot be gone on with" : `${bytes(doneBytes)} of ${bytes(totalBytes)} are here`}</p>
      <div className="actions mt-2">
        {whole && <a className="link" href="/models">Bring it in on the Models page</a>}
        {!whole && <button type="button" className="button" data-testid="hub-go-on" aria-label={`Go on with ${repo}`} disabled={busy} onClick={() => void (listing === null ? lookUp(repo) : download(repo))}>{listing === null ? "Look it up again" : "Go on"}</button>}
        <button type="button" className="link" data-testid="hub-delete" aria-label={`Delete what has come of ${repo}`} disabled={busy} onClick={() => setAsking(true)}>Delete</button>
      </div>
      {asking && <Confirm title={`Delete what has come of “${repo}”?`} body="It can be downloaded again." action="Delete it" onConfirm={() => forget(repo)} onClose={() => setAsking(false)} />}
    </li>
  );
}
