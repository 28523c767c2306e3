/** The frame of every page but the one for downloads: header, footer, and what must outlive a page. */
import type { ReactNode } from "react";
import { DropTarget } from "../_components/drop-target";
import { Header } from "../_components/header";
import { PagesAtHand } from "../_components/pages-at-hand";
import { RunAnnouncer } from "../_components/run-announcer";
import { UpdateNote } from "../_components/update-note";
import { WorkspaceGate } from "../_components/workspace-gate";

export default function SiteLayout({ children }: { children: ReactNode }) {
  return (
    <>
      <Header />
      <main id="main" className="frame" tabIndex={-1}>
        <WorkspaceGate>{children}</WorkspaceGate>
      </main>
      <footer className="frame">
        <div className="colophon">
          <p>Your text stays in this tab. Nothing is sent anywhere.</p>
          <p>Set in Source Serif and Instrument Sans.</p>
        </div>
      </footer>
      <UpdateNote />
      <DropTarget />
      <PagesAtHand />
      <RunAnnouncer />
    </>
  );
}
