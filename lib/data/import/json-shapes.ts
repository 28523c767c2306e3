/**
 * Shapes that objects of data files usually have: a conversation, a prompt with
 * its completion, a text under a usual key, a document of an editor's (a tree of
 * blocks). Each function looks at one object or list and says what it is; walking
 * a file is json.ts's.
 */
import { COMPLETION_KEYS, MACHINE_TALK, plainKey, PROMPT_KEYS, proseWords, SENDER_KEYS, TEXT_KEYS } from "./values";

/** By {@link plainKey}; of several that are one by it, the first. */
export type Members = ReadonlyMap<string, unknown>;

export function membersOf(object: object): Members {
  const members = new Map<string, unknown>();
  for (const [key, value] of Object.entries(object) as [string, unknown][]) if (!members.has(plainKey(key))) members.set(plainKey(key), value);
  return members;
}

export const isObject = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);

export function firstString(members: Members, keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = members.get(key);
    if (typeof value === "string" && value.trim() !== "") return value;
  }
  return null;
}

const CONVERSATION_KEYS = ["messages", "conversation", "conversations", "chatmessages", "dialog", "dialogue", "turns", "chat", "history"];
const MESSAGE_TEXT_KEYS = ["text", "content", "value", "message", "parts", "body"];
/** As much of a list as its kind is told by. */
const LOOKED_AT = 200;
const MIN_MESSAGES_SHARE = 0.6;
/** Longer ones, unless they say that they are messages, are rather articles by several people. */
const MAX_MESSAGE_WORDS = 60;

/** An object that holds the messages of a conversation: of a messenger's export, of a talk with a machine, of training data for one. */
export function isConversation(members: Members): boolean {
  const mapping = members.get("mapping");
  if (isObject(mapping) && Object.values(mapping).slice(0, LOOKED_AT).some((node) => isObject(node) && "message" in node)) return true;
  return CONVERSATION_KEYS.some((key) => isMessageList(members.get(key), true));
}

/** @param named what holds it is called messages or the like */
export function isMessageList(value: unknown, named: boolean): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  const some = (value as unknown[]).slice(0, LOOKED_AT);
  const senders = new Map<string, number>();
  let messages = 0, words = 0;
  for (const one of some) {
    if (!isObject(one)) continue;
    const members = membersOf(one);
    const sender = senderOf(members), text = MESSAGE_TEXT_KEYS.map((key) => members.get(key)).find((part) => part !== undefined);
    if (sender === null || text === undefined) continue;
    messages++;
    words += typeof text === "string" ? proseWords(text) : 0;
    senders.set(sender, (senders.get(sender) ?? 0) + 1);
  }
  if (messages < MIN_MESSAGES_SHARE * some.length) return false;
  if (messages > 0 && [...senders.keys()].every((sender) => MACHINE_TALK.has(sender))) return true;
  if (senders.size < 2) return false;
  return named || (senders.size <= messages / 2 && words / messages <= MAX_MESSAGE_WORDS);
}

function senderOf(members: Members): string | null {
  for (const key of SENDER_KEYS) {
    const value = members.get(key);
    const name = isObject(value) ? firstString(membersOf(value), ["role", "name", "username", "displayname", "id"]) : value;
    if (typeof name === "string" && name.trim() !== "") return name.trim().toLowerCase();
  }
  return null;
}

/** What was written to a prompt; null where the object is no such pair. */
export function completionOf(members: Members): string | null {
  if (!PROMPT_KEYS.some((key) => textOf(members.get(key), key) !== null || isMessageList(members.get(key), true))) return null;
  for (const key of COMPLETION_KEYS) {
    const value = members.get(key);
    const text = isMessageList(value, true) ? (value as unknown[]).map((message) => (isObject(message) ? (textUnderUsualKey(membersOf(message))?.text ?? "") : "")).join("\n\n") : textOf(value, key);
    if (text !== null) return text;
  }
  return null;
}

/** The surest text, one that is prose before one that is a word; null where none of the usual keys has any. */
export function textUnderUsualKey(members: Members): { key: string; text: string } | null {
  let best: { key: string; text: string } | null = null;
  for (const key of TEXT_KEYS) {
    const text = textOf(members.get(key), key);
    if (text === null || !/\p{L}/u.test(text)) continue;
    if (proseWords(text) > 0) return { key, text };
    best ??= { key, text };
  }
  return best;
}

const MIN_PIECE_WORDS = 25;

/** Of a string, a list of lines or of parts, or an editor's document; null of anything else, and where it is empty. */
function textOf(value: unknown, key: string): string | null {
  if (typeof value === "string") return value.trim() === "" ? null : value;
  if (isObject(value)) return editorText(value);
  if (!Array.isArray(value) || value.length === 0) return null;
  const parts = (value as unknown[]).map((part) => (typeof part === "string" ? part : isObject(part) && "text" in part && typeof part.text === "string" && !("children" in part) ? part.text : null));
  if (parts.some((part) => part === null)) return editorText({ type: "doc", content: value as unknown[] });
  // Several pieces, not the lines of one.
  if (!/^(?:lines|verses|paragraphs|stanzas)$/.test(key) && parts.length > 1 && parts.reduce((sum, part) => sum + proseWords(part as string), 0) >= MIN_PIECE_WORDS * parts.length) return null;
  const isWhole = value.some((part) => typeof part !== "string") || parts.slice(0, -1).every((part) => part?.endsWith("\n") === true);
  const text = parts.join(isWhole ? "" : /^(?:paragraphs|stanzas)$/.test(key) ? "\n\n" : "\n");
  return text.trim() === "" ? null : text;
}

/** Names of an editor's blocks: ProseMirror's, Slate's, Lexical's. */
const BLOCK_TYPE = /^(?:doc|document|root|p|paragraph|heading|h[1-6]|quote|blockquote|(?:bullet|numbered|ordered|unordered|task)?_?-?list(?:_?-?item)?|li|code|code_?-?block|image|divider|horizontal_?rule)/i;

/** No document is deeper; without a limit, looking for one at each depth of a file would take quadratic time. */
const MAX_BLOCK_DEPTH = 40;

/** The text of an editor's document (ProseMirror's `content`, Slate's and Lexical's `children`, Quill's `ops`): a line a block, with blank lines between them. Null where it is none. */
export function editorText(root: object): string | null {
  if ("ops" in root && Array.isArray(root.ops)) {
    const text = (root.ops as unknown[]).map((op) => (isObject(op) && "insert" in op && typeof op.insert === "string" ? op.insert : "")).join("");
    return text.trim() === "" ? null : text;
  }
  const start = "root" in root && isObject(root.root) ? root.root : root;
  if (!("type" in start) || !/^(?:doc|document|root)$/.test(String(start.type))) return null;
  const blocks: string[] = [];
  const stack: { node: object; depth: number }[] = [{ node: start, depth: 0 }];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const { node, depth } = at;
    const children = childrenOf(node);
    if (children === null) continue;
    if (depth > MAX_BLOCK_DEPTH) return null;
    const inline = children.map((child) => (isObject(child) ? leafText(child) : null));
    if (inline.some((text) => text !== null)) blocks.push(inline.join(""));
    for (let i = children.length - 1; i >= 0; i--) {
      const child = children[i];
      if (inline[i] !== null || !isObject(child)) continue;
      // A part that is no block is no document of an editor's.
      if (!("type" in child) || !BLOCK_TYPE.test(String(child.type))) {
        if (inline.every((text) => text === null)) return null;
      } else stack.push({ node: child, depth: depth + 1 });
    }
  }
  const text = blocks.map((block) => block.trim()).filter((block) => block !== "").join("\n\n");
  return text === "" ? null : text;
}

function childrenOf(node: object): unknown[] | null {
  const children = "content" in node ? node.content : "children" in node ? node.children : null;
  return Array.isArray(children) ? (children as unknown[]) : null;
}

function leafText(node: object): string | null {
  if ("text" in node && typeof node.text === "string") return node.text;
  return "type" in node && /^(?:hard_?break|linebreak|br)$/i.test(String(node.type)) ? "\n" : null;
}
