/**
 * Prose out of Markdown (CommonMark with GitHub's extensions, by mdast and
 * micromark) and out of the habits of note-taking programs (Obsidian, Notion).
 * Marks go, words stay; code, images, notes and front matter are left out. Line
 * ends inside a paragraph stay line ends and the text counts as plain: whether
 * they are verse or lines broken at a fixed width is measured where that is done
 * for all plain text (wrapping.ts), and so is what parts pieces.
 */
import type { BlockContent, DefinitionContent, List, ListItem, PhrasingContent, RootContent, Table } from "mdast";
import type { Root } from "mdast";
import { emptyFile } from "./faults";
import { htmlToText } from "./html-text";
import { cutMarkdown } from "./markdown-blocks";
import { createPause } from "./pause";
import { decodeBytes } from "../encoding";
import type { LeftOut } from "../documents";
import type { Reader } from "./types";

/** Fewer lines of code in a text are not worth a word. */
const MANY_CODE_LINES = 10;

interface Count {
  codeBlocks: number;
  codeLines: number;
}

/** @throws DuctusError `file/damaged`, `file/encoding`, `file/binary`, `file/empty`; the signal's reason */
export const readMarkdown: Reader = async (bytes, { name, signal }) => {
  const pause = createPause(signal);
  const { text: raw, encoding } = decodeBytes(bytes, name);
  const source = withoutFrontMatter(raw.replace(/\r\n?/g, "\n"));
  const parse = await loadParser();
  const definitions = definitionsOf(source);
  const count: Count = { codeBlocks: 0, codeLines: 0 };
  const out: string[] = [];
  for (const { text, kind, close } of cutMarkdown(source)) {
    await pause();
    const prose = kind === "plain" ? text : kind === "heavy" ? withoutSimpleMarks(text) : (marked(text, definitions, parse, count) ?? withoutSimpleMarks(text));
    const clean = withoutHabits(prose);
    if (clean !== "") out.push(out.length === 0 ? "" : close ? "\n" : "\n\n", clean);
  }
  const text = out.join("");
  if (text.trim() === "") throw emptyFile(name);
  return { extracts: [{ name: null, text, form: "plain", encoding }], leftOut: codeLeftOut(name, count) };
};

function codeLeftOut(name: string, { codeBlocks, codeLines }: Count): LeftOut[] {
  if (codeLines < MANY_CODE_LINES) return [];
  return [{ name, reason: `${codeBlocks === 1 ? "A block" : `${codeBlocks.toLocaleString("en")} blocks`} of program code in it, ${codeLines.toLocaleString("en")} lines together, ${codeBlocks === 1 ? "is" : "are"} not taken.` }];
}

type Parse = (text: string) => Root;

async function loadParser(): Promise<Parse> {
  const [{ fromMarkdown }, { gfm }, { gfmFromMarkdown }] = await Promise.all([import("mdast-util-from-markdown"), import("micromark-extension-gfm"), import("mdast-util-gfm")]);
  const syntax = gfm({ singleTilde: false }), trees = gfmFromMarkdown();
  return (text) => fromMarkdown(text, { extensions: [syntax], mdastExtensions: [trees] });
}

/** Settings (YAML or TOML) above the text. */
function withoutFrontMatter(text: string): string {
  const rule = /^(---|\+\+\+)[ \t]*\n/.exec(text)?.[1];
  if (rule === undefined) return text;
  const lines = text.slice(0, 20_000).split("\n");
  const end = lines.findIndex((line, i) => i > 0 && (line.trimEnd() === rule || (rule === "---" && line.trimEnd() === "...")));
  const first = lines.slice(1, end).find((line) => line.trim() !== "");
  const isSettings = end > 0 && (first === undefined ? end > 1 : /^(?:#|["']?[\p{L}_][\p{L}\p{N}_ .-]*["']?\s*[:=])/u.test(first));
  return isSettings ? lines.slice(0, end + 1).reduce((rest, line) => rest.slice(line.length + 1), text) : text;
}

/** What links by a name, and marks of notes, refer to stands anywhere in the text: each stretch gets what it uses. */
function definitionsOf(source: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const match of source.matchAll(/^ {0,3}\[([^[\]\n]{1,200})\]:[ \t]*\S.{0,500}$/gm)) {
    const label = (match[1] as string).toLowerCase().trim();
    found.set(label, label.startsWith("^") ? `[${label}]: …` : match[0]); // the note itself is not taken
  }
  return found;
}

function marked(text: string, definitions: ReadonlyMap<string, string>, parse: Parse, count: Count): string | null {
  const used = new Set<string>();
  if (definitions.size > 0) for (const match of text.matchAll(/\[([^[\]\n]{1,200})\](?!:)/g)) used.add(definitions.get((match[1] as string).toLowerCase().trim()) ?? "");
  used.delete("");
  try {
    return new MarkdownText(text, count).blocks(parse(used.size === 0 ? text : `${text}\n\n${[...used].join("\n")}`).children);
  } catch {
    return null; // what micromark cannot take is read without it
  }
}

class MarkdownText {
  constructor(private readonly source: string, private readonly count: Count) {}

  blocks(nodes: readonly (RootContent | BlockContent | DefinitionContent)[]): string {
    return nodes.map((node) => this.block(node)).filter((text) => text.trim() !== "").join("\n\n");
  }

  private block(node: RootContent | BlockContent | DefinitionContent): string {
    switch (node.type) {
      case "paragraph":
      case "heading":
        return this.inline(node.children);
      case "blockquote":
        // a callout's kind stands before its title
        return this.blocks(node.children).replace(/^\[![\w -]{1,40}\][+-]?[ \t]*/, "");
      case "list":
        return this.list(node);
      case "table":
        return this.table(node);
      case "thematicBreak":
        // which mark it was tells pieces from scenes (documents.ts)
        return (this.source[node.position?.start.offset ?? 0] ?? "*").repeat(3);
      case "code":
        return this.code(node.value, node.position?.start.offset ?? 0);
      case "html":
        return htmlToText(node.value.replace(/<\/?aside[^>]*>/gi, "\n")); // Notion's callouts
      default:
        return ""; // definitions, notes
    }
  }

  /** What is indented by four spaces is code to Markdown, and to many people verse or an indented paragraph. */
  private code(value: string, offset: number): string {
    const isFenced = /^[ >\t]*[`~]/.test(this.source.slice(offset, offset + 10));
    const signs = value.match(/[{}()[\];=<>/\\$#|_]/g)?.length ?? 0;
    if (!isFenced && signs <= 0.02 * value.length) return value;
    this.count.codeBlocks++;
    this.count.codeLines += value.split("\n").length;
    return "";
  }

  private list({ children, ordered, start, spread }: List): string {
    const items = children.map((item, i) => {
      const text = this.item(item);
      return text === "" ? "" : `${ordered === true ? `${(start ?? 1) + i}.` : "-"} ${text}`;
    });
    const loose = spread === true || children.some((item) => item.spread === true);
    return items.filter((text) => text !== "").join(loose ? "\n\n" : "\n");
  }

  private item(item: ListItem): string {
    return item.children.map((child) => this.block(child)).filter((text) => text !== "").join(item.spread === true ? "\n\n" : "\n");
  }

  private table({ children }: Table): string {
    return children.map((row) => row.children.map((cell) => this.inline(cell.children)).join("\t").trim()).filter((row) => row !== "").join("\n");
  }

  private inline(nodes: readonly PhrasingContent[]): string {
    return nodes.map((node): string => {
      if (node.type === "text" || node.type === "inlineCode") return node.value;
      if (node.type === "break") return "\n";
      if (node.type === "html") return /^<br\b/i.test(node.value) ? "\n" : "";
      return "children" in node ? this.inline(node.children) : ""; // images and note marks have none
    }).join("").replace(/\n{2,}/g, "\n");
  }
}

/** The commonest marks off, line by line, where micromark cannot be used. */
function withoutSimpleMarks(text: string): string {
  return text
    .split("\n")
    .map((line) => line.replace(/^[ \t]*(?:>[ \t]*)+/, "").replace(/^ {0,3}#{1,6}[ \t]+/, "").replace(/^([ \t]*)[*+][ \t]+/, "$1- ").replace(/^\|(?=.*\|)/, ""))
    .filter((line) => !/^[ \t]*[|:-][|: \t-]*$/.test(line) || !line.includes("|"))
    .join("\n")
    .replace(/!\[[^[\]\n]{0,500}\]\([^()\n]{0,2000}\)/g, "")
    .replace(/\[([^[\]\n]{1,500})\]\([^()\n]{0,2000}\)/g, "$1")
    .replace(/<[a-z/!][^<>\n]{0,500}>/gi, "")
    .replace(/\*{1,3}|__|~~|`{1,3}/g, "")
    .replace(/(?<![ \t])[ \t]*\|[ \t]*/g, "\t");
}

/** What note-taking programs add: links between notes, tags, highlights, comments, names of blocks. */
function withoutHabits(text: string): string {
  return text
    .replace(/ ?%%[^%]{0,5000}%%/g, "")
    .replace(/ ?!\[\[[^[\]\n]{1,500}\]\]/g, "")
    .replace(/\[\[([^[\]\n|]{1,300})(?:\|([^[\]\n]{1,300}))?\]\]/g, (_, target: string, alias: string | undefined) => alias ?? target.replace(/(.)#.*$/, "$1"))
    .replace(/==([^=\n]{1,2000})==/g, "$1")
    .replace(/(?<=\S) \^[A-Za-z0-9-]{1,40}$/gm, "")
    .split("\n")
    .filter((line) => !/^\s*#[\p{L}_][^\s#]*(?:\s+#[\p{L}_][^\s#]*)*\s*$/u.test(line))
    .map((line) => line.replace(/(?<=^|\s)#(?=[\p{L}_][\p{L}\p{N}_/-]*)/gu, "").replace(/^(\s*- )\[[ xX/-]\](?= )\s*/, "$1"))
    .join("\n")
    .replace(/(?<![ \t])[ \t]+$/gm, "")
    .replace(/^\n+/, "")
    .trimEnd();
}
