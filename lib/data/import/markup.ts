/**
 * HTML and XML as a stream of elements and text, on htmlparser2's tokenizer. Its
 * Parser is not used: it keeps its stack in an array's front and searches it for
 * every end tag, which takes quadratic time on a page of 100,000 open elements.
 * No tree is built, nothing recurses, and nothing a document names is loaded.
 */
import { Tokenizer } from "htmlparser2";

export interface MarkupHandler {
  /** Void elements too, each followed by its close. Names as in the source, in HTML in lower case. */
  open(name: string, attributes: ReadonlyMap<string, string>): void;
  /** Each opened element once, those never closed in the source too. */
  close(name: string): void;
  text(text: string): void;
  /** `!DOCTYPE …` */
  declaration?(value: string): void;
}

/** "xhtml" is HTML whose empty elements may be closed in their start tag (`<a id="x"/>`), as e-books have it. */
export type MarkupMode = "html" | "xhtml" | "xml";

const VOID = new Set(["area", "base", "basefont", "br", "col", "command", "embed", "frame", "hr", "img", "input", "isindex", "keygen", "link", "meta", "param", "source", "track", "wbr"]);
const FOREIGN = ["svg", "math"];

/** Elements that end others which HTML lets stand unclosed. */
const ENDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["li", ["li"]], ["dt", ["dt", "dd"]], ["dd", ["dt", "dd"]],
  ["tr", ["tr", "th", "td"]], ["th", ["th", "td"]], ["td", ["th", "td"]], ["tbody", ["thead", "tbody", "tr", "td", "th"]], ["tfoot", ["thead", "tbody", "tr", "td", "th"]],
  ["option", ["option"]], ["optgroup", ["optgroup", "option"]], ["rt", ["rt", "rp"]], ["rp", ["rt", "rp"]], ["body", ["head"]],
  ...["p", "h1", "h2", "h3", "h4", "h5", "h6", "address", "article", "aside", "blockquote", "details", "div", "dl", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "main", "nav", "ol", "pre", "section", "table", "ul"].map((name): [string, readonly string[]] => [name, ["p"]]),
]);

export function readMarkup(source: string, mode: MarkupMode, handler: MarkupHandler): void {
  const html = mode !== "xml";
  const stack: string[] = [];
  const isOpen = new Map<string, number>(); // how many of a name
  let tag = "", attribute = "", value = "";
  let attributes = new Map<string, string>();

  const nameAt = (from: number, to: number) => (html ? source.slice(from, to).toLowerCase() : source.slice(from, to));
  const pop = () => {
    const name = stack.pop() as string;
    isOpen.set(name, (isOpen.get(name) as number) - 1);
    handler.close(name);
  };
  const open = (selfClosed: boolean) => {
    const ended = html ? ENDS.get(tag) : undefined;
    while (ended?.includes(stack.at(-1) ?? "")) pop();
    handler.open(tag, attributes);
    if (selfClosed || (html && VOID.has(tag))) return handler.close(tag);
    stack.push(tag);
    isOpen.set(tag, (isOpen.get(tag) ?? 0) + 1);
  };
  const isSelfClosing = () => mode !== "html" || FOREIGN.includes(tag) || FOREIGN.some((name) => (isOpen.get(name) ?? 0) > 0);

  const tokenizer = new Tokenizer({ xmlMode: !html, decodeEntities: true }, {
    ontext: (from, to) => handler.text(source.slice(from, to)),
    // what stands for no character is no text
    ontextentity: (codePoint) => { if (codePoint !== 0xfffd) handler.text(String.fromCodePoint(codePoint)); },
    onopentagname: (from, to) => {
      tag = nameAt(from, to);
      attributes = new Map();
    },
    onattribname: (from, to) => { attribute = nameAt(from, to); },
    onattribdata: (from, to) => { value += source.slice(from, to); },
    onattribentity: (codePoint) => { value += String.fromCodePoint(codePoint); },
    onattribend: () => {
      if (!attributes.has(attribute)) attributes.set(attribute, value);
      value = "";
    },
    onopentagend: () => open(false),
    onselfclosingtag: () => open(isSelfClosing()),
    onclosetag: (from, to) => {
      const name = nameAt(from, to);
      if ((isOpen.get(name) ?? 0) > 0) {
        while (stack.at(-1) !== name) pop();
        pop();
      } else if (html && (name === "p" || name === "br")) {
        // as browsers read a lone end tag of these
        handler.open(name, new Map());
        handler.close(name);
      }
    },
    oncdata: (from, to, end) => { if (mode !== "html") handler.text(source.slice(from, to - end)); },
    ondeclaration: (from, to) => handler.declaration?.(source.slice(from, to)),
    oncomment: () => undefined,
    onprocessinginstruction: () => undefined,
    onend: () => { while (stack.length > 0) pop(); },
  });
  tokenizer.write(source);
  tokenizer.end();
}
