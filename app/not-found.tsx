/** An address that leads nowhere. */
import Link from "next/link";

export default function NotFound() {
  return (
    <div className="folio-wide">
      <h1 className="title">There is no such page</h1>
      <p className="lead">The address leads nowhere; nothing of yours is lost. <Link className="link" href="/">Back to the start</Link>.</p>
    </div>
  );
}
