/** How the writing is divided: a sentence, and a bar of the words in each part. */
import { PART_NAMES, type Split } from "../../lib/data/split";
import type { StoredDocument } from "../../lib/store/types";
import { count, plural } from "../_components/format";
import { PART_KEYS, splitSentence } from "./parts";

export function SplitView({ split, documents }: { split: Split; documents: readonly StoredDocument[] }) {
  const { words } = split.rule;
  const total = PART_NAMES.reduce((sum, part) => sum + words[part], 0) || 1;
  return (
    <>
      <p className="lead">{splitSentence(split, documents)}</p>
      <div className="split" aria-hidden="true">
        {PART_NAMES.map((part) => words[part] > 0 && <span key={part} data-part={part} style={{ flexGrow: words[part] / total }} />)}
      </div>
      <ul className="split-key">
        {PART_NAMES.map((part) => (
          <li key={part}><span className="swatch" data-part={part} aria-hidden="true" />{part === "train" ? plural(words[part], "word") : count(words[part])} {PART_KEYS[part]}</li>
        ))}
      </ul>
    </>
  );
}
