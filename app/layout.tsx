/**
 * What all pages share: fonts, colours before the first paint. The pages of the site stand in (site), with their header;
 * the page for downloads from the model hub stands by itself in hub, and loads none of theirs.
 */
import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import "@fontsource-variable/source-serif-4/opsz.css";
import "@fontsource-variable/source-serif-4/wght-italic.css";
import "@fontsource-variable/instrument-sans/wght.css";
import "./globals.css";

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
        {children}
      </body>
    </html>
  );
}
