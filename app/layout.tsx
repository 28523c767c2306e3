/** The frame of every page: fonts, theme before the first paint, header, and what must outlive a page. */
import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import "@fontsource-variable/source-serif-4/opsz.css";
import "@fontsource-variable/source-serif-4/wght-italic.css";
import "@fontsource-variable/instrument-sans/wght.css";
import "./globals.css";
import { DropTarget } from "./_components/drop-target";
import { Header } from "./_components/header";
import { PagesAtHand } from "./_components/pages-at-hand";
import { RunAnnouncer } from "./_components/run-announcer";
import { UpdateNote } from "./_components/update-note";
import { WorkspaceGate } from "./_components/workspace-gate";

export const metadata: Metadata = {
  title: { default: "Ductus", template: "%s · Ductus" },
  description: "Teaches a small language model to write in your hand, inside a browser tab.",
  appleWebApp: { capable: true, title: "Ductus" },
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#faf7f1" },
    { media: "(prefers-color-scheme: dark)", color: "#171512" },
  ],
};

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en" suppressHydrationWarning>
      <head>
        {/* Blocking on purpose: before any script is loaded by a string, and before anything is painted. */}
        <script src="/trusted-types.js" />
        <script src="/theme.js" />
      </head>
      <body>
        <a className="skip" href="#main">Skip to the text</a>
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
      </body>
    </html>
  );
}
