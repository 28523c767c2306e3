"use client";
/** The two writers that come with the site, each shown by the beginning of a piece. */
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { loadSampleWriter, SAMPLE_IDS, type SampleId, type SampleWriter } from "../../lib/data/samples";
import { intake, takeSample } from "../_state/intake";
import { useStore } from "../_state/use-store";
import { ErrorNote } from "../_components/error-note";
import { count } from "../_components/format";

export function SampleWriters() {
  return (
    <section className="mt-16" aria-labelledby="samples">
      <h2 id="samples" className="section-title">Or try it with a sample writer</h2>
      <div className="specimens">
        {SAMPLE_IDS.map((id) => <Specimen key={id} id={id} />)}
      </div>
    </section>
  );
}

function Specimen({ id }: { id: SampleId }) {
  const router = useRouter();
  const busy = useStore(intake, (i) => i.busy);
  const [sample, setSample] = useState<SampleWriter | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let gone = false;
    loadSampleWriter(id).then((s) => { if (!gone) setSample(s); }, (fault: unknown) => { if (!gone) setError(fault); });
    return () => { gone = true; };
  }, [id]);
  const open = async (): Promise<void> => {
    if (await takeSample(id)) router.push("/writing");
  };
  if (error !== null) return <ErrorNote error={error} />;
  return (
    <article className="specimen" aria-busy={sample === null}>
      <h3 className="specimen-name">{sample?.name ?? " "}</h3>
      <p className="specimen-text">{sample?.pieces[0]?.text.slice(0, 420) ?? ""}</p>
      <p className="quiet small">{sample === null ? " " : `${sample.about} ${count(sample.pieces.length)} pieces.`}</p>
      <button type="button" className="button" data-testid={`sample-${id}`} disabled={busy} onClick={() => void open()}>Try this writer</button>
    </article>
  );
}
