/**
 * The package of an e-book (EPUB 2 and 3): its title, its chapters in reading
 * order, and what it says of each (cover, contents, copyright page). Paths are
 * resolved inside the archive only. The chapters' text is epub.ts's.
 */
import type { Archive } from "./archive";
import { damagedFile } from "./faults";
import { decodeMarkup } from "./markup-bytes";
import { readMarkup } from "./markup";

export interface Chapter {
  path: string;
  /** "Outside the reading order": notes that open beside the text, and the like. */
  linear: boolean;
  /** `epub:type`, or the names that EPUB 2's guide has. */
  types: ReadonlySet<string>;
}

export interface EpubPackage {
  title: string | null;
  chapters: Chapter[];
}

/** Names without their prefix, attributes by their names as written. */
type OnElement = (name: string, attributes: ReadonlyMap<string, string>, text: () => string) => void;

/** @param onElement called when an element ends, with its own text */
function eachElement(xml: string, onElement: OnElement): void {
  const open: { attributes: ReadonlyMap<string, string>; text: string[] }[] = [];
  readMarkup(xml, "xml", {
    open: (_, attributes) => { open.push({ attributes, text: [] }); },
    close(name) {
      const { attributes, text } = open.pop() as { attributes: ReadonlyMap<string, string>; text: string[] };
      onElement(name.replace(/^.*:/, ""), attributes, () => text.join("").replace(/\s+/g, " ").trim());
    },
    text: (text) => { open.at(-1)?.text.push(text); },
  });
}

/** @throws DuctusError as archive.read, `file/damaged` */
export async function readPackage(archive: Archive, name: string): Promise<EpubPackage> {
  const read = async (path: string) => decodeMarkup(await archive.read(path), name).text;
  const roots: (string | null)[] = [];
  eachElement(await read("META-INF/container.xml"), (element, attributes) => {
    if (element === "rootfile") roots.push(resolvePath("", attributes.get("full-path") ?? ""));
  });
  const opf = roots[0] ?? "";
  if (!archive.has(opf)) throw damagedFile(name, "its list of chapters is missing");

  const titles: string[] = [], navs: string[] = [];
  const items = new Map<string, string>(); // path by id
  const spine: { id: string; linear: boolean }[] = [];
  const types = new Map<string, Set<string>>(); // by path
  const note = (path: string | null, said: string): void => {
    if (path === null) return;
    const known = types.get(path) ?? new Set<string>();
    types.set(path, known);
    for (const type of said.toLowerCase().split(/\s+/)) if (type !== "") known.add(type);
  };
  eachElement(await read(opf), (element, attributes, text) => {
    const href = resolvePath(opf, attributes.get("href") ?? "");
    if (element === "title" && text() !== "") titles.push(text());
    else if (element === "item" && href !== null && isChapter(attributes.get("media-type") ?? "", href)) {
      items.set(attributes.get("id") ?? "", href);
      if (/(?:^|\s)nav(?:\s|$)/.test(attributes.get("properties") ?? "")) {
        navs.push(href);
        note(href, "toc");
      }
    } else if (element === "itemref") spine.push({ id: attributes.get("idref") ?? "", linear: attributes.get("linear") !== "no" });
    else if (element === "reference" && attributes.get("href")?.includes("#") === false) note(href, attributes.get("type") ?? "");
  });
  for (const nav of navs.slice(0, 1)) if (archive.has(nav)) for (const [path, type] of landmarks(await read(nav), nav)) note(path, type);

  const seen = new Set<string>();
  const chapters: Chapter[] = [];
  for (const { id, linear } of spine) {
    const path = items.get(id);
    if (path === undefined || seen.has(path)) continue;
    seen.add(path);
    chapters.push({ path, linear, types: types.get(path) ?? new Set() });
  }
  return { title: titles[0] ?? null, chapters };
}

function isChapter(mediaType: string, path: string): boolean {
  return /^(?:application\/xhtml\+xml|text\/html|text\/x-oeb1-document)$/i.test(mediaType.trim()) || (mediaType === "" && /\.x?html?$/i.test(path));
}

/** What the navigation document says that its targets are. As in the guide, a target inside a page says nothing of the page. */
function landmarks(xml: string, nav: string): [string | null, string][] {
  const found: [string | null, string][] = [];
  let links: [string | null, string][] = [];
  eachElement(xml, (element, attributes) => {
    const type = attributes.get("epub:type") ?? "", href = attributes.get("href") ?? "";
    if (element === "a" && !href.includes("#")) links.push([resolvePath(nav, href), type]);
    else if (element === "nav") {
      if (type.split(/\s+/).includes("landmarks")) found.push(...links);
      links = [];
    }
  });
  return found;
}

/** The path in the archive that a reference leads to; null where it leads out of it, or nowhere. */
export function resolvePath(from: string, href: string): string | null {
  const [path] = href.trim().split(/[?#]/, 1) as [string];
  if (path === "" || /^[a-z][a-z\d+.-]*:/i.test(path) || path.startsWith("//")) return null;
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    decoded = path;
  }
  const folders = decoded.startsWith("/") ? [] : from.split("/").slice(0, -1);
  for (const part of decoded.split("/")) {
    if (part === "..") {
      if (folders.pop() === undefined) return null;
    } else if (part !== "" && part !== ".") folders.push(part);
  }
  return folders.length === 0 ? null : folders.join("/");
}

/** Whether any of these paths is locked (META-INF/encryption.xml), as shops lock books. Locked fonts, which many books have, lock no text. */
export async function isLocked(archive: Archive, name: string, paths: readonly string[]): Promise<boolean> {
  const list = "META-INF/encryption.xml";
  if (!archive.has(list)) return false;
  const locked = new Set<string | null>();
  eachElement(decodeMarkup(await archive.read(list), name).text, (element, attributes) => {
    if (element === "CipherReference") locked.add(resolvePath("", attributes.get("URI") ?? ""));
  });
  return paths.some((path) => locked.has(path));
}
