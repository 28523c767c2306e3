/** The frame of the page for downloads. Every way out of it is a load of another page: plain links, never the router's. */
import type { ReactNode } from "react";
import { Mark } from "../_components/mark";

export default function HubLayout({ children }: { children: ReactNode }) {
  return (
    <>
      <header>
        <div className="frame">
          <div className="mast hub-mast">
            <a href="/" className="wordmark" aria-label="Ductus, start"><Mark />Ductus</a>
            <a href="/models" className="link">Back to the models</a>
          </div>
        </div>
        <hr className="mast-rule" />
      </header>
      <main id="main" className="frame" tabIndex={-1}>{children}</main>
      <footer className="frame">
        <div className="colophon">
          <p>This page opens nothing that you wrote. It may ask the model hub, and sends it the name of the model that you want.</p>
        </div>
      </footer>
    </>
  );
}
