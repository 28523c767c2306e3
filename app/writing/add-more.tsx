"use client";
/** More writing for the hand that is open: files or pasted text. */
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { Hand } from "../../lib/store/types";
import { FilePicker } from "../_components/file-picker";
import { formText } from "../_components/form-text";
import { receiveChosen } from "../_components/receiving";
import { WRITING_FILES } from "../_components/writing-files";
import { intake, takeText } from "../_state/intake";
import { useStore } from "../_state/use-store";

export function AddMore({ hand, primary }: { hand: Hand; primary: boolean }) {
  const busy = useStore(intake, (i) => i.busy);
  const [pasting, setPasting] = useState(false);
  const router = useRouter();
  const choose = (files: File[]): void => receiveChosen(files, "/writing", (to) => router.push(to));
  return (
    <>
      <FilePicker className={primary ? "button button-primary" : "button"} testId="drop-input" accept={WRITING_FILES} multiple onFiles={choose}>
        Add files
      </FilePicker>
      <FilePicker className="link" testId="folder-input" folder onFiles={choose}>Add a folder</FilePicker>
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
