export default function Page() {
  return <h1>Ductus</h1>;
}
