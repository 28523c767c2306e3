/**
 * The running text of a page: a saved web page, a blog's export, the chapter of
 * an e-book, the HTML of a letter. What is around it is left out: scripts,
 * navigation, forms, hidden elements, readers' comments, notes, and quoted mail
 * as mail programs mark it. Nothing of the page is run, loaded or kept as
 * markup. Which style sheets hide what is not known here.
 */
import { Flow, type Break } from "./flow";
import { readMarkup, type MarkupMode } from "./markup";

export interface PageText {
  /** Of `<title>`; null where there is none. */
  title: string | null;
  /** "\n" line ends; blank lines part paragraphs. */
  text: string;
  /** What `epub:type` and `role` say of the page as a whole. */
  types: ReadonlySet<string>;
  /** How many links its text has, and how many characters stand in them. */
  links: number;
  linked: number;
}

/** The text of HTML that stands alone; quoted mail (`blockquote type=cite`, `gmail_quote` …) is left out. Linear time, whatever the nesting. */
export function htmlToText(html: string): string {
  return readPage(html).text;
}

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));

const LEFT_OUT = words("script style noscript template iframe object embed applet svg math canvas audio video map nav footer aside button input select textarea option datalist label legend dialog rt rp figcaption frameset noframes");
const PARAGRAPHS = words("p h1 h2 h3 h4 h5 h6 blockquote pre ul ol dl dir menu table figure section article main details fieldset listing");
const BLOCKS = words("div tr address center header hgroup body form caption");
const LINES = words("li dt dd summary");
const HEADINGS = words("h1 h2 h3 h4 h5 h6");
/** Exactly these, among classes and ids: what sites call what is not their text, and what mail programs call quoted mail. */
const LEFT_OUT_CLASSES = words(
  "nav navbar navigation site-navigation main-navigation post-navigation nav-links pagination menu breadcrumb breadcrumbs sidebar widget widget-area site-header site-footer masthead page-footer footer " +
  "comments comment-list commentlist comment-respond comment-form respond disqus_thread sharedaddy share-buttons social-share addtoany_share_save_container jp-relatedposts related-posts cookie-banner cookie-notice skip-link screen-reader-text sr-only visually-hidden toc mw-editsection " +
  "noteref footnote-ref footnote-backref footnote footnotes endnotes gmail_quote gmail_attr gmail_signature yahoo_quoted moz-cite-prefix moz-signature moz-forward-container divRplyFwdMsg OLK_SRC_BODY_SECTION protonmail_quote",
);
const LEFT_OUT_ROLES = words(
  "navigation banner contentinfo search complementary dialog alertdialog menu menubar toolbar doc-noteref doc-footnote doc-endnote doc-endnotes doc-pagebreak doc-toc " +
  "noteref footnote footnotes endnote endnotes rearnote rearnotes pagebreak page-list landmarks toc loi lot",
);
/** Their class or a style that hides them until a script has run says nothing of the text in them. */
const WHOLE = words("html body main article");

const ARTICLE = 1, MAIN = 2;
/** The share of all letters from which on an article (or main part) is the page's text. */
const MOST = 0.5;

/** What an open element changed, to be changed back when it closes. */
const IS_PRE = 1, IS_HEADER = 2, IS_ARTICLE = 4, IS_MAIN = 8, IS_LIST_ITEM = 16, IS_HEADING = 32, IS_LINK = 64, IS_QUOTE = 128, IS_SECTION = 256;

export function readPage(html: string, mode: MarkupMode = /^\s*<\?xml\b/.test(html.slice(0, 200)) ? "xhtml" : "html"): PageText {
  const flow = new Flow();
  const types = new Set<string>();
  const open: number[] = []; // flags of open elements, outermost first
  const depth = new Map<number, number>(); // how many open elements have a flag
  const has = (flag: number): boolean => (depth.get(flag) ?? 0) > 0;
  const change = (flags: number, by: 1 | -1): void => {
    for (let flag = 1; flag <= flags; flag <<= 1) if ((flags & flag) !== 0) depth.set(flag, (depth.get(flag) ?? 0) + by);
    flow.regions = (has(IS_ARTICLE) ? ARTICLE : 0) | (has(IS_MAIN) ? MAIN : 0);
  };
  let skipped = 0; // open elements from one that is left out inward
  let title = "", inTitle = false;
  let sup: { mark: Flow["mark"]; linked: boolean } | null = null;
  let preOpened = false, anyText = false, links = 0, linked = 0;

  readMarkup(html, mode, {
    open(name, attributes) {
      if (skipped > 0) return void skipped++;
      if (name === "title") {
        inTitle = title === "";
        return void skipped++;
      }
      if (!anyText && (name === "body" || name === "section" || name === "div")) for (const type of typesOf(attributes)) types.add(type);
      // a program's lines, as blogs show them
      if (isLeftOut(name, attributes) || (name === "code" && preOpened)) return void skipped++;
      if (name === "header" && mode === "html" && !has(IS_ARTICLE) && !has(IS_MAIN) && !has(IS_SECTION)) return void skipped++;
      preOpened = false;
      const kind = breakOf(name, has(IS_LIST_ITEM));
      if (kind !== null) flow.break(kind);
      if (name === "br") flow.lineBreak();
      else if (name === "hr") flow.sceneBreak();
      else if (name === "td" || name === "th") flow.cell();
      else if (name === "q") flow.text(has(IS_QUOTE) ? "‘" : "“");
      else if (name === "sup") sup = { mark: flow.mark, linked: has(IS_LINK) };
      else if (name === "a" && sup !== null) sup.linked = true;
      if (name === "a" && attributes.has("href")) links++;
      const flags = flagsOf(name, attributes);
      preOpened = name === "pre";
      open.push(flags);
      change(flags, 1);
    },
    close(name) {
      if (skipped > 0) {
        if (--skipped === 0) inTitle = false;
        return;
      }
      const kind = breakOf(name, has(IS_LIST_ITEM));
      if (kind !== null) flow.break(kind);
      change(open.pop() as number, -1);
      preOpened = false;
      if (name === "q") flow.text(has(IS_QUOTE) ? "’" : "”");
      else if (name === "sup" && sup !== null) {
        // a note's number, not an ordinal's ending
        if (sup.linked && /^\s*[[(]?(?:\d{1,4}|[*†‡§]{1,3}|[a-z])[\])]?\s*$/.test(flow.since(sup.mark) ?? "")) flow.takeBack(sup.mark);
        sup = null;
      }
    },
    text(text) {
      if (inTitle) title += text;
      if (skipped > 0 || (has(IS_HEADER) && !has(IS_HEADING))) return;
      anyText ||= /\S/.test(text);
      if (has(IS_LINK)) linked += text.length;
      if (!has(IS_PRE)) return flow.text(text);
      flow.verbatim(preOpened ? text.replace(/^\r?\n/, "") : text);
      preOpened &&= !/\S/.test(text);
    },
  });
  const all = flow.length();
  const region = [ARTICLE, MAIN].find((bits) => flow.length(bits) > MOST * all);
  const name = title.replace(/\s+/g, " ").trim();
  return { title: name === "" ? null : name, text: flow.toText(region), types, links, linked };
}

function breakOf(name: string, inListItem: boolean): Break | null {
  if (LINES.has(name)) return "line";
  if (PARAGRAPHS.has(name)) return inListItem && name !== "pre" && name !== "blockquote" ? (name === "p" ? "block" : "line") : "paragraph";
  return BLOCKS.has(name) ? "block" : null;
}

function flagsOf(name: string, attributes: ReadonlyMap<string, string>): number {
  let flags = 0;
  if (name === "pre" || name === "listing" || /(?:^|;)\s*white-space\s*:\s*(?:pre|break-spaces)/i.test(attributes.get("style") ?? "")) flags |= IS_PRE;
  if (name === "header") flags |= IS_HEADER;
  if (name === "article" || attributes.get("role") === "article") flags |= IS_ARTICLE;
  if (name === "main" || attributes.get("role") === "main") flags |= IS_MAIN;
  if (name === "section") flags |= IS_SECTION;
  if (name === "li") flags |= IS_LIST_ITEM;
  if (name === "a") flags |= IS_LINK;
  if (name === "q") flags |= IS_QUOTE;
  return HEADINGS.has(name) ? flags | IS_HEADING : flags;
}

function typesOf(attributes: ReadonlyMap<string, string>): string[] {
  return `${attributes.get("epub:type") ?? ""} ${attributes.get("role") ?? ""}`.toLowerCase().split(/\s+/).filter((type) => type !== "");
}

function isLeftOut(name: string, attributes: ReadonlyMap<string, string>): boolean {
  if (LEFT_OUT.has(name)) return true;
  if (attributes.size === 0 || WHOLE.has(name)) return false;
  if (attributes.has("hidden") || /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all)/i.test(attributes.get("style") ?? "")) return true;
  if (name === "blockquote" && attributes.get("type")?.toLowerCase() === "cite") return true;
  if (typesOf(attributes).some((type) => LEFT_OUT_ROLES.has(type))) return true;
  return `${attributes.get("class") ?? ""} ${attributes.get("id") ?? ""}`.split(/\s+/).some((token) => LEFT_OUT_CLASSES.has(token));
}
