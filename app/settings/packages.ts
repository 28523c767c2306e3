/**
 * The packages that the site is built with, by licence, from the lock file that
 * says which they are. For the page that is made at build time; nothing of it
 * runs in a browser.
 */

export interface LockedPackage {
  version?: string;
  license?: string;
  dependencies?: Record<string, string>;
}

export interface Lock {
  version: string;
  /** By path from the root: "" is the site itself, "node_modules/a/node_modules/b" a package of its own for a. */
  packages: Record<string, LockedPackage>;
}

export interface LicenceGroup {
  licence: string;
  /** "name version", in order. */
  packages: string[];
}

const FOLDER = "node_modules/";

/** What the site depends on, and what that depends on; the most common licence first. */
export function packagesByLicence({ packages }: Lock): LicenceGroup[] {
  const found = new Set<string>();
  const waiting = [""];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const name of Object.keys(packages[path]?.dependencies ?? {})) {
      const at = placeOf(packages, path, name);
      if (at === null || found.has(at)) continue;
      found.add(at);
      waiting.push(at);
    }
  }
  const groups = new Map<string, Set<string>>();
  for (const path of found) {
    const { license = "not said", version = "" } = packages[path] ?? {};
    const licence = license.replace(/^\((.*)\)$/, "$1");
    const inGroup = groups.get(licence) ?? new Set();
    groups.set(licence, inGroup.add(`${path.slice(path.lastIndexOf(FOLDER) + FOLDER.length)} ${version}`.trim()));
  }
  return [...groups].map(([licence, names]) => ({ licence, packages: [...names].sort() })).sort((a, b) => b.packages.length - a.packages.length || (a.licence < b.licence ? -1 : 1));
}

/** As Node looks for it: beside the one that wants it, then further out. */
function placeOf(packages: Lock["packages"], from: string, name: string): string | null {
  for (let path = from; ; ) {
    const at = path === "" ? `${FOLDER}${name}` : `${path}/${FOLDER}${name}`;
    if (Object.hasOwn(packages, at)) return at;
    if (path === "") return null;
    path = path.slice(0, Math.max(0, path.lastIndexOf(`/${FOLDER}`)));
  }
}
