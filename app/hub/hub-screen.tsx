"use client";
/** Off: what this page is, and no more. On: a model by its name, its download, what lies here of earlier ones. */
import { useEffect, useRef } from "react";
import { HUB_PAGE } from "../../lib/core/hub-hosts";
import { ErrorNote } from "../_components/error-note";
import { Waiting } from "../_components/waiting";
import { download, hub, lookAtDownloads, lookUp, stop } from "../_state/hub";
import { hubSetting, openHubSetting } from "../_state/hub-setting";
import { takeWish } from "../_state/hub-wish";
import { useStore } from "../_state/use-store";
import { Begun } from "./begun";
import { ByName } from "./by-name";
import { Found, Going } from "./found";

export function HubScreen() {
  const on = useStore(hubSetting, (h) => h.on);
  useEffect(() => {
    // Only the answer to this very address has the policy that this page needs.
    if (location.pathname !== HUB_PAGE) location.replace(HUB_PAGE);
    else openHubSetting();
  }, []);
  if (on === null) return <Waiting title="Downloads" />;
  return (
    <div className="folio">
      <div className="min-w-0">
        <h1 className="title">Downloads from the model hub</h1>
        {on ? <Downloads /> : <Off />}
      </div>
      <aside className="margin">
        <section className="margin-part">
          <h2>Why this is a page of its own</h2>
          <p className="small quiet">Every other page of Ductus is forbidden, by the headers it comes with, to ask any address but its own. This one may ask huggingface.co, and the addresses on hf.co that keep its files. So it runs nothing but the downloader: it opens no writing, and no model writes here.</p>
        </section>
      </aside>
    </div>
  );
}

function Off() {
  return (
    <div data-testid="hub-off">
      <p className="lead">This page fetches language models from huggingface.co. It is turned off, and so it asks for nothing.</p>
      <p className="mt-4">To turn it on, open <a className="link" href="/models">Models</a> and allow downloads under “From the model hub”. What that means is said there.</p>
    </div>
  );
}

function Downloads() {
  const { hasStorage, downloads, going, found, ended, error } = useStore(hub, (h) => h);
  const result = useRef<HTMLDivElement>(null);
  const part = going !== null ? "going" : found !== null ? "found" : "none";
  const before = useRef(part);
  useEffect(() => {
    // The button that had the focus went with its part of the page.
    if (before.current !== part && document.activeElement === document.body) result.current?.focus({ preventScroll: true });
    before.current = part;
  }, [part]);
  useEffect(() => {
    void lookAtDownloads().then(() => {
      const wish = takeWish();
      if (wish === null || hub.get().hasStorage !== true) return;
      const begun = hub.get().downloads?.some(({ repo, listing, whole }) => repo === wish && listing !== null && !whole) ?? false;
      void (begun ? download(wish) : lookUp(wish));
    });
    return stop; // turned off in another tab
  }, []);
  if (downloads === null) return <p className="lead quiet" role="status">Opening…</p>;
  if (hasStorage === false) return <p className="lead" data-testid="no-storage">This browser gives this page no place for large files, so nothing can be downloaded here. Private windows and pages without https are often refused one.</p>;
  return (
    <>
      <p className="lead">What you download here is kept in this browser. Then it waits on the Models page, to be brought in.</p>
      <ByName />
      <div ref={result} tabIndex={-1} className="hub-result">
        <p className="sr-only" role="status">{part === "found" && `“${found?.repo ?? ""}” was found.`}</p>
        {part === "found" && found !== null && <Found found={found} />}
        {going !== null && <Going going={going} />}
        {ended !== null && (
          <div className="mt-6" role="status" data-testid="download-ended" data-whole={ended.whole}>
            {ended.whole
              ? <p>“{ended.repo}” is here, whole and checked. <a className="link" href="/models">Bring it in on the Models page</a>.</p>
              : <p>Stopped. What has come of “{ended.repo}” is kept; going on begins there.</p>}
          </div>
        )}
        {error !== null && <div className="mt-6"><ErrorNote error={error} /></div>}
      </div>
      <Begun />
    </>
  );
}
