/** How the writing is divided: in sentences, and as a bar of the words in each part. */
import { PART_NAMES, type Split } from "../../lib/data/split";
import { explainSplit } from "../../lib/data/split-words";
import type { StoredDocument } from "../../lib/store/types";
import { count, plural } from "../_components/format";
import { PART_KEYS } from "./parts";

export function SplitView({ split, documents }: { split: Split; documents: readonly StoredDocument[] }) {
  const { words } = split.rule;
  const total = PART_NAMES.reduce((sum, part) => sum + words[part], 0) || 1;
  const names = new Map(documents.map(({ id, name }) => [id, name]));
  return (
    <>
      <p className="lead" data-testid="split-words">{explainSplit(split, (id) => names.get(id) ?? "").join(" ")}</p>
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
