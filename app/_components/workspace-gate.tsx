"use client";
/** Opens the workspace once the page is alive, and stands in for every page when the storage cannot be read. */
import { useEffect, type ReactNode } from "react";
import { leaveHubDocument } from "../_engine/document";
import { registerOffline } from "../_engine/offline";
import { watchInstall } from "../_state/install";
import { watchRequests } from "../_state/requests";
import { readTheme } from "../_state/theme";
import { useStore } from "../_state/use-store";
import { openWorkspace, reopenWorkspace, workspace } from "../_state/workspace";
import { ErrorNote } from "./error-note";

export function WorkspaceGate({ children }: { children: ReactNode }) {
  const error = useStore(workspace, (w) => w.error);
  const damaged = useStore(workspace, (w) => w.damaged);
  useEffect(() => {
    if (leaveHubDocument()) return undefined;
    watchRequests();
    readTheme();
    void openWorkspace();
    void registerOffline();
    return watchInstall();
  }, []);
  if (error === null) {
    return (
      <>
        {damaged !== null && <div className="mb-8"><ErrorNote error={damaged} /></div>}
        {children}
      </>
    );
  }
  return (
    <div className="folio-wide">
      <h1 className="title mb-6">Your writing cannot be read just now</h1>
      <ErrorNote error={error}>
        <button type="button" className="button" onClick={() => void reopenWorkspace()}>Try again</button>
      </ErrorNote>
    </div>
  );
}
