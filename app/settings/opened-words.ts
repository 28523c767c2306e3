/** What came of opening a file of everything, in sentences. */
import type { Opened } from "../../workers/keeper-protocol";
import { EMBEDDED_ID } from "../_components/model-words";

export function openedWords({ added, kept, needed }: Opened): string[] {
  const sentences: string[] = [];
  if (added.length > 0) sentences.push(`Added: ${names(added)}.`);
  if (kept.length > 0) sentences.push(`Here already, and left as ${kept.length === 1 ? "it is" : "they are"}: ${names(kept)}.`);
  if (added.length + kept.length === 0) sentences.push("There was no hand in it.");
  const own = needed.filter(({ name }) => name !== EMBEDDED_ID);
  if (own.length > 0) sentences.push(`Not here yet: ${own.length === 1 ? "the model" : "the models"} ${names(own)}. Bring ${own.length === 1 ? "it" : "them"} in on the Models page, and what was learned with ${own.length === 1 ? "it" : "them"} works.`);
  if (own.length < needed.length) sentences.push("Some of it was learned with another version of the model that comes with the site, and cannot be used with this one. The writing can be taught anew.");
  return sentences;
}

const names = (list: readonly { name: string }[]): string => list.map(({ name }) => `“${name}”`).join(", ");
