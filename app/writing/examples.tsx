"use client";
/** The real training examples that are made of the writing: what the model is asked, and what it is to answer. */
import { useEffect, useState } from "react";
import type { Hand, StoredDocument } from "../../lib/store/types";
import type { ShownExamples, ShownExample } from "../../workers/importer-protocol";
import { ErrorNote } from "../_components/error-note";
import { count, plural } from "../_components/format";
import { showExamples } from "../_engine/importer";

const SHOWN = 2;

export function Examples({ hand, documents }: { hand: Hand; documents: readonly StoredDocument[] }) {
  const [seed, setSeed] = useState(1);
  const [found, setFound] = useState<ShownExamples | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    let gone = false;
    showExamples(hand.id, seed, SHOWN).then(
      (examples) => {
        if (gone) return;
        setFound(examples);
        setError(null);
      },
      (fault: unknown) => { if (!gone) setError(fault); },
    );
    return () => { gone = true; };
  }, [hand, documents, seed]);
  if (error !== null) return <ErrorNote error={error}><button type="button" className="button" onClick={() => setSeed(seed + 1)}>Try again</button></ErrorNote>;
  if (found === null) return <p className="quiet" role="status">Fetching what the model reads with…</p>;
  const { counts, examples } = found;
  const all = counts.continue + counts.keywords;
  return (
    <div data-testid="examples">
      <p>
        The first time through, the writing is cut into {plural(all, "passage")}. Each is what the model is to write when it is asked in one of two ways: {count(counts.continue)} by the words that come before, {count(counts.keywords)} by some words
        of the passage itself. The next time through it is cut elsewhere, and other words are drawn. To answer in a conversation, the third way, it has learned before; no example of that is made of your writing.
      </p>
      {examples.map((example) => <Shown key={`${example.documentId} ${example.completion.slice(0, 40)}`} example={example} name={documents.find(({ id }) => id === example.documentId)?.name ?? ""} />)}
      <p className="mt-4"><button type="button" className="button" data-testid="other-examples" onClick={() => setSeed(seed + 1)}>Show others</button></p>
    </div>
  );
}

function Shown({ example: { form, prompt, completion, template, promptTokens, completionTokens, maxTokens }, name }: { example: ShownExample; name: string }) {
  const tokens = promptTokens + completionTokens;
  return (
    <article className="example" data-form={form}>
      <h3 className="label">From “{name}”, {form === "continue" ? "to go on" : "from words"}</h3>
      <p className="passage-note">It is asked</p>
      <p className="prose example-prompt">{prompt}</p>
      <p className="passage-note">It is to write</p>
      <p className="prose" data-testid="completion">{completion}</p>
      <p className="quiet small mt-2">{plural(promptTokens, "token")} are asked, {count(completionTokens)} are to be written (a token is a word or a part of one; the last says “end”). {tokens > maxTokens ? `Only the first ${count(maxTokens)} of these ${count(tokens)} are read.` : `Up to ${count(maxTokens)} fit.`}</p>
      <details className="folded">
        <summary className="small">The question as the model reads it</summary>
        <code className="code code-wrap">{template}</code>
      </details>
    </article>
  );
}
