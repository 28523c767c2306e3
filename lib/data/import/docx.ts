/**
 * Word documents, by mammoth, which reads runs, fields, lists, text boxes and
 * tracked changes (deleted text goes); here its document is put into lines. What
 * it is given is a fresh archive of only the parts that it needs, each unpacked
 * within the budget and looked through first: mammoth builds a tree of a part in
 * memory, recurses over it, and compares each warning with all others. Left out
 * are notes, for the reason that odt.ts gives, comments, heads and feet, and
 * tables of contents.
 */
import { strToU8, zipSync } from "fflate";
import { openArchive, type Archive } from "./archive";
import { damagedFile, emptyFile } from "./faults";
import { decodeMarkup } from "./markup-bytes";
import { readMarkup } from "./markup";
import { notesLeftOut } from "./odt";
import { joinParagraphs } from "./paragraphs";
import { DuctusError } from "../../core/errors";
import type { Reader, ReaderContext } from "./types";

/** Of all parts together, unpacked. A long novel has 10 MB; its tree takes some thirty times as much. */
const MAX_XML_BYTES = 24 * 1024 * 1024;
const MAX_DEPTH = 200;
/** Different names and styles: mammoth warns once for each that it does not know. */
const MAX_NAMES = 1000;
/** Fields in one another. */
const MAX_FIELDS = 100;

/** Whatever the main part is called (Word on the web writes document2.xml), these are what else is read; images, notes, comments, heads and feet are not. */
const PARTS = /^(?:\[Content_Types\]\.xml|_rels\/\.rels|[^/]+\/_rels\/document\d*\.xml\.rels|[^/]+\/(?:document|styles|numbering)\d*\.xml)$/i;

/** @throws DuctusError `file/damaged`, `file/encrypted`, `file/empty`, `file/too-large`; the signal's reason */
export const readDocx: Reader = async (bytes, context) => {
  const { name } = context;
  const parts = await neededParts(openArchive(bytes, context), context);
  const root = await readByMammoth(parts, name);
  const writer = new DocxText();
  writer.blocks(root.children);
  const text = joinParagraphs(writer.paragraphs);
  if (text === "") throw emptyFile(name);
  return { extracts: [{ name: null, text, form: "paragraphs" }], leftOut: notesLeftOut(name, writer.notes) };
};

async function neededParts(archive: Archive, { name }: ReaderContext): Promise<Record<string, Uint8Array>> {
  const parts: Record<string, Uint8Array> = Object.create(null) as Record<string, Uint8Array>;
  const needed = archive.entries.filter(({ path }) => PARTS.test(path));
  if (needed.reduce((sum, entry) => sum + entry.bytes, 0) > MAX_XML_BYTES) {
    throw new DuctusError("file/too-large", `“${name}” holds more text than a Word document can be read with here.`, "Save it as plain text (.txt), or in several parts, and drop those in.");
  }
  for (const { path } of needed) {
    const xml = decodeMarkup(await archive.read(path), name).text;
    checkPart(xml, name, path);
    // a line end that mammoth does not know
    parts[path] = strToU8(xml.replace(/^<\?xml[^>]*\?>/, "").replace(/<w:cr\s*\/>/g, "<w:br/>"));
  }
  return parts;
}

/** @throws DuctusError `file/damaged` for what no program writes, and what would overflow or slow the reading of it. */
function checkPart(xml: string, name: string, path: string): void {
  const refuse = (details: string) => damagedFile(name, "it holds what no Word document does", { details: `${path}: ${details}` });
  const names = new Set<string>();
  let depth = 0, fields = 0;
  readMarkup(xml, "xml", {
    declaration(value) {
      if (/^!?(?:doctype|entity)/i.test(value)) throw refuse("document type declaration");
    },
    open(element, attributes) {
      if (++depth > MAX_DEPTH) throw refuse("nested too deeply");
      if (element === "w:fldChar") {
        const type = attributes.get("w:fldCharType");
        if (type === "begin" && ++fields > MAX_FIELDS) throw refuse("too many fields in one another");
        if (type === "end" && fields > 0) fields--;
      }
      // those whose values stand in mammoth's warnings
      const value = /^w:(?:[prl]Style|tblStyle|br)$/.test(element) ? `${attributes.get("w:val") ?? ""} ${attributes.get("w:type") ?? ""}` : element === "w:sym" ? `${attributes.get("w:font") ?? ""} ${attributes.get("w:char") ?? ""}` : "";
      names.add(`${element} ${value}`);
      if (names.size > MAX_NAMES) throw refuse("too many different elements");
    },
    close: () => { depth--; },
    text: () => undefined,
  });
}

/** An element of mammoth's document; it has no types for them. */
interface Node {
  type: string;
  children: readonly Node[];
  value?: string;
  styleName?: string | null;
  numbering?: unknown;
  breakType?: string;
}

async function readByMammoth(parts: Record<string, Uint8Array>, name: string): Promise<Node> {
  const { default: mammoth } = await import("mammoth");
  const zip = zipSync(parts, { level: 0 });
  let root: unknown = null;
  try {
    // its Node build takes `buffer`, its browser build `arrayBuffer`, and both hand it on to what takes bytes as well
    const input = { buffer: zip, arrayBuffer: zip } as unknown as { arrayBuffer: ArrayBuffer };
    await mammoth.convertToHtml(input, {
      transformDocument(document: object): unknown {
        root = document;
        return { ...document, children: [] }; // its HTML is not needed
      },
    });
  } catch (error) {
    throw damagedFile(name, "its text cannot be found in it", { cause: error });
  }
  if (!isNode(root)) throw damagedFile(name, "its text is missing");
  return root;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "children" in value && Array.isArray(value.children);
}

class DocxText {
  readonly paragraphs: string[] = [];
  notes = 0;

  blocks(nodes: readonly Node[]): void {
    let list: string[] = [];
    const endList = () => {
      if (list.length > 0) this.paragraphs.push(list.join("\n"));
      list = [];
    };
    for (const node of nodes) {
      const inList = node.type === "paragraph" && node.numbering !== null && node.numbering !== undefined && !isHeading(node);
      if (!inList) endList();
      if (node.type === "table") this.paragraphs.push(this.table(node));
      else if (node.type === "paragraph") {
        if (/^(?:toc|table of figures|index)\b/i.test(node.styleName ?? "")) continue;
        const line: string[] = [];
        const boxed: Node[] = [];
        this.inline(node, line, boxed);
        (inList ? list : this.paragraphs).push(line.join(""));
        this.blocks(boxed);
      } else if (isNode(node)) this.blocks(node.children);
    }
    endList();
  }

  /** @param boxed gets what stands in text boxes of the paragraph */
  private inline(node: Node, into: string[], boxed: Node[]): void {
    for (const child of node.children) {
      if (child.type === "text") into.push(child.value ?? "");
      else if (child.type === "tab") into.push("\t");
      else if (child.type === "break") into.push(child.breakType === "line" ? "\n" : "");
      else if (child.type === "noteReference") this.notes++;
      else if (child.type === "paragraph" || child.type === "table") boxed.push(child);
      else if (isNode(child)) this.inline(child, into, boxed);
    }
  }

  private table(table: Node): string {
    const cellText = (cell: Node): string => {
      const inner = new DocxText();
      inner.blocks(cell.children);
      this.notes += inner.notes;
      return inner.paragraphs.filter((text) => text.trim() !== "").join("\n");
    };
    const rows = table.children.filter(isNode).map((row) => row.children.filter(isNode).map(cellText).join("\t").trim());
    return rows.filter((row) => row !== "").join("\n");
  }
}

/** Headings are often numbered, and are no list. */
function isHeading(node: Node): boolean {
  return /^(?:heading|title|subtitle)\b/i.test(node.styleName ?? "");
}
