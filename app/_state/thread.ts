/**
 * A conversation as a tree of turns: what leads to a turn is the conversation as
 * it is read, and turns of one role that follow the same turn are versions of one
 * another, as an answer that was asked for again or a message that was edited. It
 * only looks; turns are added by chat.ts, and none is ever changed or taken away.
 */
import type { Turn } from "../../lib/store/types";
import { keyWordsOf } from "./asking";

/** A turn with its place. */
export type Placed = Turn & { id: string; after: string | null };
export type Thread = readonly Placed[];

/** Gives turns of an earlier version, which followed one another as they were listed, their places. */
export function placed(turns: readonly Turn[]): Placed[] {
  const ids = turns.map(({ id }, i) => id ?? `#${i}`);
  return turns.map((turn, i) => ({ ...turn, id: ids[i]!, after: turn.after === undefined ? (ids[i - 1] ?? null) : turn.after }));
}

/** From the beginning to the turn; empty where it is not there. */
export function pathTo(thread: Thread, id: string | null): Placed[] {
  const byId = new Map(thread.map((turn) => [turn.id, turn]));
  const path: Placed[] = [];
  for (let turn = id === null ? undefined : byId.get(id); turn !== undefined; turn = turn.after === null ? undefined : byId.get(turn.after)) {
    path.push(turn);
    byId.delete(turn.id); // what is damaged may follow itself
  }
  return path.reverse();
}

/** The newest end of what follows a turn; the turn itself where nothing does. */
export function endUnder(thread: Thread, id: string): string {
  const seen = new Set<string>();
  let end = id;
  for (let next: Placed | undefined; !seen.has(end) && (next = thread.findLast(({ after }) => after === end)) !== undefined; end = next.id) seen.add(end);
  return end;
}

/** Where a conversation is opened: at the turn it was left at, else at its newest. */
export function endOf(thread: Thread, showing: string | undefined): string | null {
  const known = thread.find(({ id }) => id === showing) ?? thread.at(-1);
  return known === undefined ? null : endUnder(thread, known.id);
}

/** The turn and its other versions, oldest first. */
export function versionsOf(thread: Thread, { after, role }: Placed): Placed[] {
  return thread.filter((turn) => turn.after === after && turn.role === role);
}

/** The turns of both; those of `ours` that are not in the database yet come last. */
export function merged(ours: Thread, stored: Thread): Placed[] {
  const known = new Set(stored.map(({ id }) => id));
  return [...stored, ...ours.filter(({ id }) => !known.has(id))];
}

const MAX_TITLE = 60;

/** The first line of what was asked first. */
export function titleOf(path: readonly Placed[]): string {
  const first = path.find(({ role }) => role === "user");
  if (first === undefined) return "New conversation";
  const line = first.text.split("\n").map((l) => l.replace(/\s+/g, " ").trim()).find((l) => l !== "") ?? "";
  return shortened(first.form === "keywords" ? `From the words ${keyWordsOf(line).join(", ")}` : line);
}

/** Cut after a word. */
function shortened(line: string): string {
  const letters = [...line];
  if (letters.length <= MAX_TITLE) return line;
  const head = letters.slice(0, MAX_TITLE - 1).join("");
  const space = head.lastIndexOf(" ");
  return `${(space > MAX_TITLE / 2 ? head.slice(0, space) : head).replace(/[\s,;:.–—-]+$/u, "")}…`;
}

/** As the page calls who speaks. */
export const VOICE_NAMES = { base: "As it came", tuned: "Taught" } as const;

/** What was said, as plain text; where both voices answered, both, named. */
export function plainText(path: readonly Placed[]): string {
  return path.map((turn) => {
    if (turn.role === "user") return `You: ${turn.text}`;
    return [turn, turn.beside].filter((said) => said !== undefined).map(({ voice = "tuned", text, unfinished }) => `${VOICE_NAMES[voice]}: ${text}${unfinished ? " […]" : ""}`).join("\n\n");
  }).join("\n\n");
}
