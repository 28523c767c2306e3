/**
 * A look over all pieces of a hand: what lib/data/hygiene finds is stored with
 * them, and which of them repeat one another with the hand. What it suggests is
 * followed only where the person has not decided.
 */
import { inspectDocuments, type DocumentInspection, textKindOf } from "../lib/data/hygiene/inspect";
import { FORMATS } from "../lib/data/import/types";
import { keepLooks, listDocuments, textToLookAt, type Found } from "../lib/store/documents";
import { getHand, keepGroups } from "../lib/store/hands";
import type { DocumentLook, StoredDocument } from "../lib/store/types";

/** Stored at once. */
const BATCH = 100;

/** @throws the signal's reason; DuctusError `store/…`; what fetching the languages' data throws */
export async function lookOver(handId: string, signal: AbortSignal, onProgress: (done: number, all: number) => void = () => undefined): Promise<void> {
  const documents = await listDocuments(handId, () => undefined);
  if (documents.length === 0) return;
  const { documents: inspected, groups } = await inspectDocuments(documents.map((document) => {
    const format = FORMATS.find((name) => name === document.format);
    return {
      id: document.id, name: document.name, text: textToLookAt(document),
      ...(format === undefined ? {} : { kind: textKindOf(format) }),
      ...(document.edited === true ? { asItIs: true } : {}),
      ...(document.excluded?.by === "person" ? { leftOut: true } : {}),
    };
  }), { signal, onProgress });

  const changed = documents.flatMap((document, i) => {
    const inspection = inspected[i] as DocumentInspection;
    const found = foundIn(document, inspection);
    return isKnown(document, found) ? [] : [found];
  });
  for (let from = 0; from < changed.length; from += BATCH) {
    signal.throwIfAborted();
    await keepLooks(handId, changed.slice(from, from + BATCH));
  }
  const before = (await getHand(handId))?.groups ?? [];
  if (JSON.stringify(before) !== JSON.stringify(groups)) await keepGroups(handId, groups);
}

function foundIn(document: StoredDocument, { id, text, words, language, warnings, repeats, removed, excluded, reason }: DocumentInspection): Found {
  return {
    id, read: textToLookAt(document), text, words,
    look: {
      languages: language.shares,
      warnings: warnings.map(({ kind, sentence }) => ({ kind, sentence })),
      ...(repeats === null ? {} : { repeats: { kind: repeats.kind, earlierId: repeats.earlierId, sentence: repeats.sentence } }),
      removed: removed.map(({ what, start, end }) => ({ what, start, end })),
      ...(excluded ? { suggests: reason } : {}),
    },
  };
}

/** Whether storing it would change nothing. */
function isKnown({ text, look, excluded, kept }: StoredDocument, found: Found): boolean {
  return look !== undefined && text === found.text && isSame(look, found.look) && (excluded?.by === "person" || kept === true || excluded?.reason === found.look.suggests);
}

const isSame = (a: DocumentLook, b: DocumentLook): boolean => JSON.stringify([a.languages, a.warnings, a.repeats, a.removed, a.suggests]) === JSON.stringify([b.languages, b.warnings, b.repeats, b.removed, b.suggests]);
