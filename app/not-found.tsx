/** An address that leads nowhere. Every page brings this along, the page for downloads too, so it is bare: nothing of the site runs here. */
import { Mark } from "./_components/mark";

export default function NotFound() {
  return (
    <>
      <header>
        <div className="frame"><div className="mast"><a href="/" className="wordmark" aria-label="Ductus, start"><Mark />Ductus</a></div></div>
        <hr className="mast-rule" />
      </header>
      <main id="main" className="frame folio-wide" tabIndex={-1}>
        <h1 className="title">There is no such page</h1>
        <p className="lead">The address leads nowhere; nothing of yours is lost. <a className="link" href="/">Back to the start</a>.</p>
      </main>
    </>
  );
}
