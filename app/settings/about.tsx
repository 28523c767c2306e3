/** What this is, under which licences, and whose work is in it. Made at build time; none of it is script in the browser. */
import lock from "../../package-lock.json";
import manifest from "../../public/models/manifest.json";
import { plural } from "../_components/format";
import { packagesByLicence } from "./packages";

export function About() {
  const { version } = lock;
  const groups = packagesByLicence(lock);
  const all = groups.reduce((sum, { packages }) => sum + packages.length, 0);
  return (
    <>
      <p className="mt-2">Ductus <span data-testid="version">{version}</span>, under the Apache License 2.0.</p>
      <dl className="settings-facts mt-4">
        {manifest.models.map(({ id, name, licence }) => (
          <div key={id}>
            <dt>{name}</dt>
            <dd>{licence}. <a className="link" href={`/models/${id}/README.md`}>Its card</a> says which texts it learned from, and under which licences they are.</dd>
          </div>
        ))}
        <div><dt>Sample writers</dt><dd>Invented; their texts were written for Ductus and are under its licence.</dd></div>
        <div><dt>Typefaces</dt><dd>Source Serif 4 and Instrument Sans, under the SIL Open Font License 1.1.</dd></div>
        <div>
          <dt>Packages</dt>
          <dd>
            {plural(all, "package")} of other people’s, each under its own licence.
            <details className="folded">
              <summary>All of them, by licence</summary>
              <dl className="licences small">
                {groups.map(({ licence, packages }) => (
                  <div key={licence}><dt>{licence}</dt><dd className="quiet">{packages.join(", ")}</dd></div>
                ))}
              </dl>
            </details>
          </dd>
        </div>
      </dl>
    </>
  );
}
