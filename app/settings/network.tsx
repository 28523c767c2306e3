"use client";
/** Everything that this tab has asked for, by what it was for; what is never sent, how to check that, and what the list cannot show. */
import { useEffect, useState } from "react";
import { CopyButton } from "../_components/copy-button";
import { bytes, count, plural } from "../_components/format";
import { allRefusals, allRequests, isRecorded, openedAt, requests } from "../_state/requests";
import { useStore } from "../_state/use-store";
import { Policy } from "./policy";
import { GROUPS, requestList, requestText, whoWords, type RequestList, type Row } from "./request-list";

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export function Network() {
  const version = useStore(requests, (r) => r.version);
  const [list, setList] = useState<RequestList | null>(null);
  useEffect(() => {
    // A page loads many files at once; they are put in order together.
    const timer = setTimeout(() => setList(requestList(allRequests(), location.origin, openedAt())), 150);
    return () => clearTimeout(timer);
  }, [version]);
  if (!isRecorded()) return <p className="mt-2">This browser keeps no record of requests for pages to read. Its developer tools show them.</p>;
  if (list === null) return <p className="mt-2 quiet">Looking…</p>;
  const refusals = allRefusals();
  const text = requestText(list);
  return (
    <>
      <p className="mt-2" data-testid="network-summary" data-total={list.total}>
        {plural(list.total - list.hub, "request")} since this tab was loaded at {clock.format(openedAt())}{list.hub > 0 && `, and ${count(list.hub)} that the page for downloads made in it before`}. {count(list.network)} of them went over the network, and brought {bytes(list.networkBytes)}; the others were answered from this device.
      </p>
      {list.clean
        ? <p className="mt-2" data-testid="network-clean">
            Nothing of yours left this device: each asked {location.host} for one of this site’s own files, by its address and with nothing in it{list.hub > 0 && `, but for those of the page for downloads, which you sent to the model hub for a model’s files`}.
          </p>
        : <p className="mt-2 tuned" role="alert" data-testid="network-unclean">There are requests among them that this page does not know the reason of. They stand first.</p>}
      {list.groups.map(({ group, rows }) => (
        <details key={group} className="folded requests" data-testid="request-group" data-group={group}>
          <summary><span className="requests-title">{GROUPS[group].title}</span> <span className="quiet">{plural(rows.length, "request")}, {bytes(rows.reduce((sum, row) => sum + row.bytes, 0))}</span></summary>
          <p className="small quiet">{GROUPS[group].why}</p>
          <Rows rows={rows} label={GROUPS[group].title} />
        </details>
      ))}
      {refusals.length > 0 && (
        <details className="folded requests" data-testid="refusals" open>
          <summary><span className="requests-title">Stopped by the policy</span> <span className="quiet">{plural(refusals.length, "attempt")}, none of them sent</span></summary>
          <ul className="small">{refusals.map(({ who, address, directive }, i) => <li key={i} className="[overflow-wrap:anywhere]">{address} <span className="quiet">by {whoWords(who)}; {directive}</span></li>)}</ul>
        </details>
      )}
      <div className="mt-2"><CopyButton text={text} what="the list" /></div>

      <h3 className="label mt-6">What is never sent</h3>
      <p className="mt-1">Your writing, its name, what the models write, what they learn, and your settings: no request carries any of it. The site has no place to send it to, and its policy lets the browser ask no other address; only the page for downloads may ask the model hub, once you have turned that on, and it opens nothing that you wrote.</p>
      <h3 className="label mt-5">See for yourself</h3>
      <ol className="settings-steps mt-1">
        <li>Switch the network off. Reading, training, comparing and saving go on; only what was never fetched is missing.</li>
        <li>Open the browser’s developer tools (F12, or Ctrl+Shift+I; on a Mac ⌥⌘I), choose Network, and use the site. Every line is a GET for one of the files above, with nothing in it.</li>
        <li>Read the policy that came with this page. “connect-src 'self'” is the line that keeps every script and worker to this address.</li>
      </ol>
      <Policy />
      <h3 className="label mt-5">What this list cannot show</h3>
      <p className="small quiet mt-1">
        It is made from the browser’s own record, which has addresses and sizes, and no contents. An answer that was not read to its end may be missing, and so are the browser’s own errands: looking whether the part for use without a network has changed (/sw.js), files that you download by a link, and whatever the browser or its extensions send for themselves. A reload begins it anew. The developer tools show all of it.
      </p>
    </>
  );
}

const WAYS: Record<Row["way"], (row: Row) => string> = {
  network: ({ networkBytes }) => `network, ${bytes(networkBytes)}`,
  kept: () => "kept here",
  browser: () => "kept by the browser",
};

function Rows({ rows, label }: { rows: readonly Row[]; label: string }) {
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={`Requests: ${label}`}>
      <table className="table requests-table">
        <thead><tr><th scope="col">Address</th><th scope="col">For</th><th scope="col">From</th><th scope="col" className="number">Size</th></tr></thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i} data-testid="request" data-way={row.way} data-address={row.address}>
              <td>{row.address}</td><td className="quiet">{row.who}</td><td className="quiet">{WAYS[row.way](row)}</td><td className="number">{bytes(row.bytes)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
