"use client";
/** The margin of the start page: the word, the device, and what becomes of the text. */
import Link from "next/link";
import { useEffect, useState } from "react";
import { lookAtDevice, type DeviceOutlook } from "../_engine/device";
import { Ductus } from "../_components/mark";

export function About() {
  const [device, setDevice] = useState<DeviceOutlook | null>(null);
  useEffect(() => {
    let gone = false;
    void lookAtDevice().then((outlook) => { if (!gone) setDevice(outlook); });
    return () => { gone = true; };
  }, []);
  return (
    <>
      <figure className="margin-part">
        <Ductus />
        <figcaption className="small quiet"><i className="font-serif text-[1.0625rem] text-ink">ductus</i>, in the study of old hands: the order and direction of the strokes by which a writer forms each letter.</figcaption>
      </figure>
      <section className="margin-part">
        <h2>This device</h2>
        <p>{device?.headline ?? "Looking…"}</p>
        <p className="small quiet">{device?.detail ?? " "}</p>
        {device !== null && <p className="small quiet mt-2">{quickWords(device)}</p>}
      </section>
      <section className="margin-part">
        <h2>Your text stays in this tab</h2>
        <p className="small quiet">Nothing you give it is sent anywhere; the page is not even allowed to.</p>
        <details className="folded">
          <summary className="small">See for yourself</summary>
          <ul className="small quiet see-yourself">
            <li>Switch the network off once the model has been fetched: everything goes on working.</li>
            <li>Open the browser’s developer tools (F12), tab “Network”, and watch while it reads and learns: nothing goes out.</li>
            <li>The page keeps its own list of every request, with what it was for, under <Link className="link" href="/settings">Settings</Link>.</li>
          </ul>
        </details>
      </section>
    </>
  );
}

/** What to expect, before anything was measured; the Train page measures. */
function quickWords({ webgpu, threads }: DeviceOutlook): string {
  const small = "The small model that comes with the site learns a few thousand words in minutes";
  if (webgpu) return `${small}, and larger models that you bring in can be taught here, too.`;
  return threads > 1 ? `${small}; writing is quick. A larger model of your own takes far longer.` : "Everything works, slowly: the small model takes a while to learn, and a larger one is too much.";
}
