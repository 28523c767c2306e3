"use client";
/** The margin's table of contents: every piece with what there is to say of it, to search, order, open, and leave out one or many. */
import { useDeferredValue, useId, useMemo, useState } from "react";
import type { Split } from "../../lib/data/split";
import type { StoredDocument } from "../../lib/store/types";
import { ErrorNote } from "../_components/error-note";
import { count, plural } from "../_components/format";
import { leaveOut, takeIn } from "../_state/pieces";
import { PART_WORDS } from "./parts";
import { chosenRows, FILTERS, type Filter, ORDERS, type Order, type Row, rowsOf } from "./rows";

/** Rows that are drawn at once; nobody reads on beyond, and a thousand would make each keystroke slow. */
const SHOWN = 200;
/** Fewer pieces are seen at a glance. */
const SEARCHED = 8;
/** Remarks on a line; the piece itself says all. */
const MAX_REMARKS = 2;

interface Props {
  handId: string;
  documents: readonly StoredDocument[];
  openId: string | null;
  /** Null while there is too little to divide. */
  split: Split | null;
  onOpen: (id: string) => void;
}

export function Contents({ handId, documents, openId, split, onOpen }: Props) {
  const [query, setQuery] = useState("");
  const [filter, setFilter] = useState<Filter>("all");
  const [order, setOrder] = useState<Order>("came");
  const [shown, setShown] = useState(SHOWN);
  const [marked, setMarked] = useState<ReadonlySet<string> | null>(null);
  const [error, setError] = useState<unknown>(null);
  const id = useId();
  const rows = useMemo(() => rowsOf(documents, split), [documents, split]);
  const wanted = useDeferredValue(query);
  const found = useMemo(() => chosenRows(rows, { query: wanted, filter, order }), [rows, wanted, filter, order]);
  if (documents.length === 0) return null;

  const attempt = (work: Promise<void>): void => {
    setError(null);
    work.catch(setError);
  };
  const toggle = (pieceId: string): void => {
    const next = new Set(marked);
    if (!next.delete(pieceId)) next.add(pieceId);
    setMarked(next);
  };
  /** Marks of pieces that were deleted meanwhile count for nothing. */
  const chosen = marked === null ? [] : documents.filter((document) => marked.has(document.id));
  return (
    <nav aria-labelledby={id}>
      <div className="contents-head">
        <h2 id={id}>Pieces</h2>
        <button type="button" className="link quiet small" aria-pressed={marked !== null} onClick={() => setMarked(marked === null ? new Set() : null)}>{marked === null ? "Choose several" : "Done choosing"}</button>
      </div>
      {documents.length >= SEARCHED && (
        <div className="contents-tools">
          <input type="search" className="field" aria-label="Search the pieces" placeholder="Search" value={query} onChange={(event) => setQuery(event.currentTarget.value)} />
          <select className="field" aria-label="Show" value={filter} onChange={(event) => setFilter(event.currentTarget.value as Filter)}>
            {Object.entries(FILTERS).map(([value, words]) => <option key={value} value={value}>{words}</option>)}
          </select>
          <select className="field" aria-label="Order" value={order} onChange={(event) => setOrder(event.currentTarget.value as Order)}>
            {Object.entries(ORDERS).map(([value, words]) => <option key={value} value={value}>{words}</option>)}
          </select>
        </div>
      )}
      {marked !== null && (
        <div className="contents-many" data-testid="choose-many">
          <label className="contents-mark"><input type="checkbox" checked={found.length > 0 && found.every(({ document }) => marked.has(document.id))} onChange={(event) => setMarked(new Set(event.currentTarget.checked ? found.map(({ document }) => document.id) : []))} /> All {count(found.length)} that are listed</label>
          <p className="actions">
            <button type="button" className="link" disabled={chosen.length === 0} onClick={() => attempt(leaveOut(handId, chosen.map((document) => document.id)))}>Leave out{chosen.length > 0 && ` ${count(chosen.length)}`}</button>
            <button type="button" className="link" disabled={chosen.length === 0} onClick={() => attempt(takeIn(handId, chosen.map((document) => document.id)))}>Use{chosen.length > 0 && ` ${count(chosen.length)}`}</button>
          </p>
        </div>
      )}
      {error !== null && <ErrorNote error={error} />}
      {found.length === 0 && <p className="quiet small" role="status">No piece is like that.</p>}
      <ol className="contents" data-choosing={marked !== null}>
        {found.slice(0, shown).map((row) => (
          <Line
            key={row.document.id} row={row} isOpen={row.document.id === openId}
            mark={marked === null ? null : { on: marked.has(row.document.id), toggle: () => toggle(row.document.id) }}
            onOpen={() => onOpen(row.document.id)}
            onSwitch={() => attempt((row.part === "out" ? takeIn : leaveOut)(handId, [row.document.id]))}
          />
        ))}
      </ol>
      {found.length > shown && <button type="button" className="link small mt-2" onClick={() => setShown(shown + SHOWN)}>Show more of {plural(found.length, "piece")}</button>}
    </nav>
  );
}

interface LineProps {
  row: Row;
  isOpen: boolean;
  mark: { on: boolean; toggle: () => void } | null;
  onOpen: () => void;
  /** Leaves it out, or takes it in again. */
  onSwitch: () => void;
}

function Line({ row: { document, remarks, part }, isOpen, mark, onOpen, onSwitch }: LineProps) {
  const words = [...(part === "out" ? ["left out"] : []), ...remarks];
  return (
    <li>
      {mark !== null && <label className="contents-mark"><input type="checkbox" checked={mark.on} onChange={mark.toggle} aria-label={`Choose ${document.name}`} /></label>}
      <button
        type="button" aria-current={isOpen} aria-keyshortcuts="Delete" data-part={part} onClick={onOpen}
        onKeyDown={(event) => {
          if (event.key !== "Delete") return;
          event.preventDefault();
          onSwitch();
        }}
      >
        <span className="swatch" data-part={part} aria-hidden="true" />
        <span className="contents-name">
          {document.name}
          {part !== "train" && part !== "out" && <span className="sr-only">, {PART_WORDS[part]}</span>}
          {words.length > 0 && <span className="contents-remarks">{words.slice(0, MAX_REMARKS).join("; ")}{words.length > MAX_REMARKS && "; …"}</span>}
        </span>
        <span className="quiet small">{count(document.words)}</span>
      </button>
    </li>
  );
}
