/**
 * Looks over all documents of a hand before they are learned from: frees them of
 * what is not the writer's, finds their languages and those that repeat one
 * another, and says what speaks against each. What it would leave out is a
 * suggestion with a reason; the person decides. The groups it finds go into the
 * split, whatever is left out.
 */
import type { FormatName } from "../import/types";
import { plural, quoted } from "../phrases";
import { countWords } from "../words";
import { BOILERPLATE_WORDS, type Boilerplate, type CleanedText, type Removal, type TextKind, withoutSharedBoilerplate } from "./boilerplate";
import { addShares, type LanguageDetector, languageName, languageNotice, type LanguageReport, type LanguageShare, languageWords, loadLanguageDetector } from "./language";
import { findNearDuplicates, type Likeness, type NearDuplicate, type NearDuplicates } from "./near-duplicates";
import { type Warning, warningsOf } from "./warnings";
import { whichGo } from "./which-stays";

export interface InspectedDocument {
  id: string;
  name: string;
  /** "\n" line ends. */
  text: string;
  /** Default "plain". */
  kind?: TextKind;
  /** The person has decided on its text: nothing is taken off. */
  asItIs?: boolean;
  /** The person leaves it out: it stands in no other's place. */
  leftOut?: boolean;
  /** When it was written (Unix milliseconds), if that is known: it tells the later draft. */
  dateMs?: number;
}

export interface InspectOptions {
  seed?: number;
  signal?: AbortSignal;
  /** Documents looked at, of all; called now and then. */
  onProgress?: (done: number, all: number) => void;
  /** In the place of the one that is loaded. */
  detectLanguage?: LanguageDetector;
}

/** What a document has in common with an earlier one. */
export interface Repetition {
  kind: Likeness;
  earlierId: string;
  /** Shingles in common as a share of those of both. */
  resemblance: number;
  /** As a sentence about the document. */
  sentence: string;
  /** The longest passage in common, in the cleaned text (characters). */
  passage: { start: number; end: number; words: number };
}

export interface DocumentInspection {
  id: string;
  name: string;
  /** Without what was taken off. */
  text: string;
  words: number;
  /** What was taken off, with its place in the text that was given. */
  removed: Removal[];
  language: LanguageReport;
  repeats: Repetition | null;
  warnings: Warning[];
  /** Whether to leave it out is suggested, and why, as a sentence. */
  excluded: boolean;
  reason: string;
}

export interface Inspection {
  documents: DocumentInspection[];
  /** Ids of documents that must fall into one part of the split. */
  groups: string[][];
  /** Of the documents that are not suggested to be left out. */
  words: number;
  kept: number;
  languages: LanguageShare[];
  /** How many documents nearly repeat another, or stand in one. */
  repeating: number;
  /** All of this in plain sentences. */
  sentences: string[];
}

/** What may stand around a text that came from a file of a format. */
export function textKindOf(format: FormatName): TextKind {
  if (format === "email" || format === "mbox") return "mail";
  if (format === "html") return "page";
  return format === "markdown" ? "note" : "plain";
}

/** @throws the signal's reason when it is aborted; what fetching the language data throws */
export async function inspectDocuments(documents: readonly InspectedDocument[], { seed = 1, signal, onProgress, detectLanguage }: InspectOptions = {}): Promise<Inspection> {
  const breathe = breather(signal);
  const detect = detectLanguage ?? (await loadLanguageDetector());
  const cleaned: CleanedText[] = documents.map(({ text }) => ({ text, removed: [] }));
  const open = documents.flatMap(({ asItIs }, i) => (asItIs === true ? [] : [i]));
  const freed = await withoutSharedBoilerplate(open.map((i) => documents[i] as InspectedDocument).map(({ text, kind = "plain" }) => ({ text, kind })), { breathe });
  open.forEach((i, n) => (cleaned[i] = freed[n] as CleanedText));
  const inspected: DocumentInspection[] = [];
  for (const [i, { id, name }] of documents.entries()) {
    await breathe();
    const { text, removed } = cleaned[i] as (typeof cleaned)[number];
    const words = countWords(text);
    const language = detect(text);
    const warnings = warningsOf(text, words);
    if (words === 0 && removed.length > 0) warnings[0] = { kind: "empty", sentence: `All of it is ${listOfRemoved(removed)}.`, excludes: true };
    if (language.main !== null && language.main !== "en") warnings.push({ kind: "language", sentence: `It is in ${languageWords(language.shares)}.`, excludes: false });
    const against = warnings.find((warning) => warning.excludes);
    inspected.push({ id, name, text, words, removed, language, repeats: null, warnings, excluded: against !== undefined, reason: against?.sentence ?? "" });
    onProgress?.(i + 1, documents.length);
  }
  const found = await findNearDuplicates(inspected.map(({ text }) => text), { seed, breathe });
  suggestOne(inspected, documents, found);

  const left = inspected.filter(({ excluded }) => !excluded);
  const inspection: Inspection = {
    documents: inspected,
    groups: found.groups.map((group) => group.map((i) => (documents[i] as InspectedDocument).id)),
    words: left.reduce((sum, { words }) => sum + words, 0),
    kept: left.length,
    languages: addShares(left.flatMap(({ language, words }) => language.shares.map((entry) => ({ language: entry.language, share: entry.share * words })))),
    repeating: found.nearest.filter((near) => near !== null && near.kind !== "shares").length,
    sentences: [],
  };
  inspection.sentences = sentencesOf(inspection);
  return inspection;
}

/** Says what repeats what, and suggests to leave out all but one of those that repeat one another. */
function suggestOne(inspected: readonly DocumentInspection[], documents: readonly InspectedDocument[], { nearest, pairs }: NearDuplicates): void {
  const at = (i: number): DocumentInspection => inspected[i] as DocumentInspection;
  for (const near of nearest) {
    if (near === null) continue;
    const { document, earlier, kind, resemblance, passage } = near;
    at(document).repeats = { kind, earlierId: at(earlier).id, resemblance, sentence: likenessSentence(near, at(earlier).name), passage };
  }
  const found = new Map(pairs.map((pair) => [`${pair.document} ${pair.earlier}`, pair]));
  for (const [out, winner] of whichGo(documents.map(({ dateMs, leftOut }, i) => ({ words: at(i).words, excluded: at(i).excluded || leftOut === true, ...(dateMs === undefined ? {} : { dateMs }) })), pairs)) {
    const after = found.get(`${out} ${winner}`), before = found.get(`${winner} ${out}`);
    const { name } = at(winner);
    at(out).excluded = true;
    if (after?.kind === "same") at(out).reason = likenessSentence(after, name);
    else if (after?.kind === "contained" || before?.kind === "contains") at(out).reason = `Nearly all of it stands in ${quoted(name)}.`;
    else at(out).reason = `It is nearly repeated by ${quoted(name)}, which is longer or later.`;
  }
}

function likenessSentence({ kind, passage }: NearDuplicate, name: string): string {
  switch (kind) {
    case "same":
      return `It has the same words as ${quoted(name)}.`;
    case "near":
      return `It nearly repeats ${quoted(name)}.`;
    case "contained":
      return `Nearly all of it stands in ${quoted(name)}.`;
    case "contains":
      return `It holds nearly all of ${quoted(name)}.`;
    case "shares":
      return `It shares much with ${quoted(name)}, at most ${plural(passage.words, "word")} in a row.`;
    default:
      return kind satisfies never;
  }
}

function listOfRemoved(removed: readonly Removal[]): string {
  const kinds = [...new Set(removed.map(({ what }) => what))].map((what) => BOILERPLATE_WORDS[what]);
  return kinds.length < 2 ? (kinds[0] ?? "") : `${kinds.slice(0, -1).join(", ")} and ${kinds.at(-1)}`;
}

function sentencesOf({ documents, kept, words, languages, repeating }: Inspection): string[] {
  if (documents.length === 0) return [];
  const sentences = [`${plural(words, "word")} in ${plural(kept, "piece")}${kept < documents.length ? `; ${plural(documents.length - kept, "piece")} left out` : ""}.`];
  const [language] = languages;
  if (language !== undefined) sentences.push(languageWords(languages) === languageName(language.language) ? `${languages.length === 1 ? "All" : "Nearly all"} in ${languageName(language.language)}.` : `The language is ${languageWords(languages)}.`);
  const notice = languageNotice(languages);
  if (notice !== null) sentences.push(notice);
  if (repeating > 0) sentences.push(`${plural(repeating, "piece repeats", "pieces repeat")} or nearly ${repeating === 1 ? "repeats" : "repeat"} another.`);
  const taken = new Map<Boilerplate, number>();
  for (const { removed } of documents) for (const { what } of removed) taken.set(what, (taken.get(what) ?? 0) + 1);
  if (taken.size > 0) sentences.push(`Taken off, as it is not the writer’s: ${[...taken].sort(([, a], [, b]) => b - a).map(([what, n]) => `${BOILERPLATE_WORDS[what]} (${plural(n, "time")})`).join(", ")}.`);
  return sentences;
}

/** Work between two breaths, so that a worker hears what it is told. */
const BREATH_MS = 30;

function breather(signal?: AbortSignal): () => Promise<void> {
  let last = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - last < BREATH_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    last = performance.now();
    signal?.throwIfAborted();
  };
}
