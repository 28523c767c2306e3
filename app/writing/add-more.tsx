"use client";
/** More writing for the hand that is open: files or pasted text. */
import { useState } from "react";
import type { Hand } from "../../lib/store/types";
import { FilePicker } from "../_components/file-picker";
import { formText } from "../_components/form-text";
import { WRITING_FILES } from "../_components/writing-files";
import { intake, takeFiles, takeText } from "../_state/intake";
import { useStore } from "../_state/use-store";

export function AddMore({ hand, primary }: { hand: Hand; primary: boolean }) {
  const busy = useStore(intake, (i) => i.busy);
  const [pasting, setPasting] = useState(false);
  return (
    <>
      <FilePicker className={primary ? "button button-primary" : "button"} testId="drop-input" accept={WRITING_FILES} multiple onFiles={(files) => void takeFiles(files, hand)}>
        Add files
      </FilePicker>
      <FilePicker className="link" testId="folder-input" folder onFiles={(files) => void takeFiles(files, hand)}>Add a folder</FilePicker>
      <button type="button" className="link" aria-expanded={pasting} onClick={() => setPasting(!pasting)}>Paste text</button>
      {pasting && (
        <form
          className="basis-full"
          onSubmit={(event) => {
            event.preventDefault();
            void takeText(formText(event.currentTarget, "text"), hand).then((added) => { if (added) setPasting(false); });
          }}
        >
          <textarea name="text" className="field field-text" rows={6} aria-label="Writing to add" autoFocus required />
          <button type="submit" className="button mt-2" disabled={busy}>Add this text</button>
        </form>
      )}
    </>
  );
}
