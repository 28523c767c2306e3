"use client";
/** Ductus in a window of its own, and what it does without a network. */
import { useEffect, useState } from "react";
import { askToInstall, install } from "../_state/install";
import { useStore } from "../_state/use-store";

export function AsAnApp() {
  const { offer, installed } = useStore(install, (i) => i);
  const [offline, setOffline] = useState<boolean | null>(null);
  useEffect(() => {
    let gone = false;
    const controlled = "serviceWorker" in navigator ? navigator.serviceWorker.getRegistration().then((registration) => registration?.active != null, () => false) : Promise.resolve(false);
    void controlled.then((is) => { if (!gone) setOffline(is); });
    return () => { gone = true; };
  }, []);
  return (
    <>
      {offline !== null && (
        <p data-testid="works-offline" data-works={offline}>
          {offline ? "All screens are kept in this browser: Ductus opens and works without a network." : "This browser keeps no pages of the site for later (as some private windows do): Ductus needs the network to open."}
        </p>
      )}
      {installed ? <p className="mt-2" data-testid="installed">It is installed as an app on this device.</p>
      : offer !== null ? <p className="actions mt-4"><button type="button" className="button" onClick={() => void askToInstall()}>Install as an app</button></p>
      : <p className="quiet mt-2">To have it in a window of its own: in Chrome and Edge, “Install” in the menu; in Safari, “Add to Dock” or “Add to Home Screen” under Share.</p>}
    </>
  );
}
