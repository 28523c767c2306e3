/**
 * The form "reply" from a stretch of a conversation, one line a message
 * (`name: text`): a window of it in which one person answers. In logs of a
 * channel many talk at once: a window holds all of them, or only two who speak
 * to each other. The wording is the product's (lib/data/reply.ts).
 */
import type { Random } from "../../lib/core/random";
import { toReplyMessages, type Turn } from "../../lib/data/reply";
import type { Stretch } from "./corpus";
import { drawHabits, type Habit, writeWith } from "./forms-habits";
import type { FormExample } from "./forms-prose";
import type { Recipe } from "./recipe";

/** Tokens that a stretch of a conversation should have. */
export const CHAT_TOKENS = 1500;

/** Longer conversations are left out: a person's are short. */
const MAX_CHARS = 1500;
/** Programs that answer in the logs, never the person who is to be learned from. */
const BOTS = /^(ubotu|ubottu|ubot\d*|lubotu\d*|dpkg|logmsgbot)\b/i;

interface Line extends Turn {
  /** Whom it names at its beginning, as one of those who write. */
  to: string | null;
}

/** Null where the stretch does not serve. */
export function chatExample(stretch: Stretch, recipe: Recipe["forms"], random: Random): FormExample | null {
  const lines = parseLines(stretch);
  const authors = [...new Set(lines.map((line) => line.author))];
  if (authors.length < 2) return null;
  const between = authors.length > 2 && random.uniform() >= recipe.groupShare ? pickTwo(lines, random) : lines;
  const window = between && cutWindow(between, random);
  if (window === null) return null;
  // One habit for all, or one for each: who answers may write unlike the others.
  const alike = random.uniform() < 0.5 ? drawHabits(recipe.habits, random) : null;
  const habitsOf = new Map<string, ReadonlySet<Habit>>(authors.map((author) => [author, alike ?? drawHabits(recipe.habits, random)]));
  const habit = (author: string): ReadonlySet<Habit> => habitsOf.get(author) as ReadonlySet<Habit>;
  const messages = toReplyMessages(window.turns.map(({ author, text }) => ({ author, text: writeWith(habit(author), text, random) })), window.me);
  while (messages.at(-1)?.role === "user") messages.pop();
  if (messages.length < 2 || messages.reduce((sum, { content }) => sum + content.length, 0) > MAX_CHARS) return null;
  return { form: "reply", messages, habits: habit(window.me) };
}

/** Whole lines only. A name at a line's beginning says whom it is for: it is taken off. */
export function parseLines({ text, fromBeginning, toEnd }: Stretch): Line[] {
  const rows = text.split("\n").slice(fromBeginning ? 0 : 1);
  if (!toEnd) rows.pop();
  const turns = rows.flatMap((row): Turn[] => {
    const colon = row.indexOf(": ");
    return colon <= 0 ? [] : [{ author: row.slice(0, colon), text: row.slice(colon + 2).trim() }];
  });
  const authors = new Map(turns.map(({ author }) => [author.toLowerCase(), author]));
  return turns.flatMap(({ author, text }): Line[] => {
    const called = /^([^\s:,]+)[:,]\s+(?=\S)/u.exec(text);
    const to = called === null ? null : (authors.get((called[1] as string).toLowerCase()) ?? null);
    const rest = to === null || called === null ? text : text.slice(called[0].length);
    return rest === "" ? [] : [{ author, text: rest, to: to === author ? null : to }];
  });
}

/** What two who name each other wrote to one another or to nobody; null where there are no such two. */
function pickTwo(lines: readonly Line[], random: Random): Line[] | null {
  const said = new Set(lines.flatMap(({ author, to }) => (to === null ? [] : [`${author}\n${to}`])));
  const pairs = [...said].map((pair) => pair.split("\n") as [string, string]).filter(([a, b]) => a < b && said.has(`${b}\n${a}`) && !BOTS.test(a) && !BOTS.test(b));
  if (pairs.length === 0) return null;
  const [a, b] = random.pick(pairs);
  const isOurs = ({ author, to }: Line): boolean => (author === a && (to === null || to === b)) || (author === b && (to === null || to === a));
  const first = lines.findIndex((line) => isOurs(line) && line.to !== null);
  const last = lines.findLastIndex((line) => isOurs(line) && line.to !== null);
  return lines.slice(first, last + 1).filter(isOurs);
}

/** Some lines before one of a person's, that one, and some after it. */
function cutWindow(lines: readonly Line[], random: Random): { turns: readonly Line[]; me: string } | null {
  const answers = lines.flatMap(({ author }, i) => (i > 0 && author !== lines[i - 1]?.author && !BOTS.test(author) ? [i] : []));
  if (answers.length === 0) return null;
  const at = random.pick(answers);
  return { turns: lines.slice(Math.max(0, at - 1 - random.int(4)), at + 1 + random.int(6)), me: lines[at]?.author as string };
}
