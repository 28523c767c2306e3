"use client";
/** Turns the model hub on and off, and says what that means. */
import { useEffect, useId, useState } from "react";
import { hubSetting, openHubSetting, turnHub } from "../_state/hub-setting";
import { useStore } from "../_state/use-store";
import { ErrorNote } from "./error-note";

export function HubSwitch() {
  const on = useStore(hubSetting, (h) => h.on);
  const [error, setError] = useState<unknown>(null);
  const id = useId();
  useEffect(openHubSetting, []);
  const turn = (next: boolean): void => {
    setError(null);
    turnHub(next).catch(setError);
  };
  return (
    <>
      <label className="switch mt-3">
        <input type="checkbox" role="switch" data-testid="hub-switch" aria-describedby={id} disabled={on === null} checked={on === true} onChange={(event) => turn(event.target.checked)} />
        <span>Allow downloads from the model hub</span>
      </label>
      <p id={id} className="small quiet mt-2 max-w-[38rem]">
        {on === true
          ? "One page of this site, the page for downloads, may now ask huggingface.co and the addresses that keep its files. That page opens nothing that you wrote. The hub sees which model you ask for, your network address and the address of this site; no account and no cookie is sent. All other pages can still reach no address but their own."
          : "While it is off, no page of this site asks any address but this site’s own. Turned on, one page by itself may ask huggingface.co for a model that you name there. That page opens nothing that you wrote; the hub sees which model you ask for, your network address and the address of this site."}
      </p>
      {error !== null && <div className="mt-3"><ErrorNote error={error} /></div>}
    </>
  );
}
