/** The margin's table of contents: every piece, its words, and whether it is kept aside. */
import type { Split } from "../../lib/data/split";
import type { StoredDocument } from "../../lib/store/types";
import { count } from "../_components/format";
import { PART_WORDS, partOf } from "./parts";

interface Props {
  documents: readonly StoredDocument[];
  openId: string | null;
  /** Null while there is too little to divide. */
  split: Split | null;
  onOpen: (id: string) => void;
}

export function Contents({ documents, openId, split, onOpen }: Props) {
  if (documents.length === 0) return null;
  return (
    <nav aria-labelledby="contents">
      <h2 id="contents">Pieces</h2>
      <ol className="contents">
        {documents.map((document) => {
          const part = split === null ? "train" : partOf(split, document.id);
          return (
            <li key={document.id}>
              <button type="button" aria-current={document.id === openId} onClick={() => onOpen(document.id)}>
                <span className="swatch" data-part={part} aria-hidden="true" />
                <span className="contents-name">{document.name}{part !== "train" && <span className="sr-only">, {PART_WORDS[part]}</span>}</span>
                <span className="quiet small">{count(document.words)}</span>
              </button>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
