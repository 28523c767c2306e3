/** A page whose data is being read: its name, and nothing that would jump away again. */
export function Waiting({ title }: { title: string }) {
  return (
    <div className="folio-wide waiting" aria-busy="true">
      <h1 className="title">{title}</h1>
      <p className="lead quiet" role="status">Opening…</p>
    </div>
  );
}
