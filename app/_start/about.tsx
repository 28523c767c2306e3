"use client";
/** The margin of the start page: the word, the device, and what becomes of the text. */
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
      </section>
      <section className="margin-part">
        <h2>Your text stays in this tab</h2>
        <p className="small quiet">Nothing you give it is sent anywhere; the page is not even allowed to. To see for yourself, switch the network off once the model has been fetched: everything goes on working.</p>
      </section>
    </>
  );
}
