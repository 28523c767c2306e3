/**
 * The third form that the embedded model was taught: a conversation in which it
 * answers as one of those who write. It may be between two or more; who of the
 * others wrote what is not told apart. As in forms.ts the wording is fixed: it
 * must be that of the training.
 */
import type { Message } from "./forms";

/** What one person wrote in one go. */
export interface Turn {
  author: string;
  text: string;
}

/**
 * A conversation as chat messages: `author`'s turns are the assistant's, all
 * others' the user's; what follows one another on one side is joined by a line
 * break. What `author` wrote before anybody else is left out, so that the first
 * message is the user's; the last is whoever's turn is last. Empty turns count
 * for nothing.
 */
export function toReplyMessages(turns: readonly Turn[], author: string): Message[] {
  const messages: Message[] = [];
  for (const turn of turns) {
    const role = turn.author === author ? "assistant" : "user";
    const content = turn.text.trim();
    const last = messages.at(-1);
    if (content === "" || (last === undefined && role === "assistant")) continue;
    if (last?.role === role) last.content += `\n${content}`;
    else messages.push({ role, content });
  }
  return messages;
}
