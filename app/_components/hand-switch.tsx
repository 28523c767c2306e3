"use client";
/** The current hand's name; opens the list of hands, renaming, and the way to a new one. */
import { useRouter } from "next/navigation";
import { useState } from "react";
import { renameHand } from "../../lib/store/hands";
import { useStore } from "../_state/use-store";
import { chooseHand, refresh, workspace } from "../_state/workspace";
import { DeleteHand } from "./delete-hand";
import { useDisclosure } from "./disclosure";
import { ErrorNote } from "./error-note";
import { formText } from "./form-text";

export function HandSwitch() {
  const hand = useStore(workspace, (w) => w.hand);
  const hands = useStore(workspace, (w) => w.hands);
  const { open, setOpen, root, button } = useDisclosure<HTMLDivElement>();
  const [renaming, setRenaming] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const router = useRouter();
  if (hand === null) return null;

  const attempt = (work: Promise<unknown>): void => {
    setError(null);
    work.catch(setError);
  };
  const close = (): void => {
    setOpen(false);
    setRenaming(false);
  };
  const choose = async (id: string): Promise<void> => {
    await chooseHand(id);
    close();
    router.push("/writing");
  };
  const rename = async (name: string): Promise<void> => {
    await renameHand(hand.id, name);
    await refresh();
    setRenaming(false);
  };

  return (
    <div ref={root} className="min-w-0">
      <button ref={button} type="button" className="hand-switch" aria-expanded={open} aria-controls="hands" onClick={() => (open ? close() : setOpen(true))}>
        <span className="sr-only">Hand: </span>
        <span className="name" data-testid="hand-name" title={hand.name}>{hand.name}</span>
        <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.5" className="shrink-0"><path d="M1.5 3.5L5 7l3.5-3.5" /></svg>
      </button>
      {open && (
        <div id="hands" className="popover">
          <h2>Hands</h2>
          <ul>
            {hands.map((h) => (
              <li key={h.id}>
                <button type="button" className="popover-row" aria-current={h.id === hand.id} onClick={() => attempt(choose(h.id))}>
                  <span className="name">{h.name}</span>
                  {h.source === "sample" && <span className="small quiet">Sample writer</span>}
                </button>
              </li>
            ))}
          </ul>
          {error !== null && <div className="p-2"><ErrorNote error={error} /></div>}
          <div className="popover-end">
            {renaming ? (
              <form className="flex gap-2 p-2" onSubmit={(event) => { event.preventDefault(); attempt(rename(formText(event.currentTarget, "name"))); }}>
                <input name="name" className="field" defaultValue={hand.name} aria-label="New name" maxLength={80} autoFocus required />
                <button type="submit" className="button">Rename</button>
              </form>
            ) : (
              <>
                <button type="button" className="popover-row" onClick={() => { close(); router.push("/#new"); }}>Start a new hand</button>
                <button type="button" className="popover-row" onClick={() => setRenaming(true)}>Rename this one</button>
                <button type="button" className="popover-row" onClick={() => { close(); setDeleting(true); }}>Delete this one…</button>
              </>
            )}
          </div>
        </div>
      )}
      {deleting && <DeleteHand hand={hand} onClose={() => setDeleting(false)} />}
    </div>
  );
}
