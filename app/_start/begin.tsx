"use client";
/** Where writing comes in: files by picker (dropping works on the whole window), or pasted text. */
import { useRouter } from "next/navigation";
import { useId, useState } from "react";
import { intake, takeText } from "../_state/intake";
import { useStore } from "../_state/use-store";
import { workspace } from "../_state/workspace";
import { FilePicker } from "../_components/file-picker";
import { formText } from "../_components/form-text";
import { IntakeReport } from "../_components/intake-report";
import { receiveChosen } from "../_components/receiving";
import { WRITING_FILES } from "../_components/writing-files";

export function Begin() {
  const router = useRouter();
  const busy = useStore(intake, (i) => i.busy);
  const known = useStore(workspace, (w) => w.hands.length > 0);
  const [pasting, setPasting] = useState(false);
  const id = useId();
  const begin = async (work: Promise<boolean>): Promise<void> => {
    if (await work) router.push("/writing");
  };
  const choose = (files: File[]): void => receiveChosen(files, "/", (to) => router.push(to));
  return (
    <section id="new" className="mt-10 scroll-mt-6" aria-labelledby={id}>
      <h2 id={id} className="sr-only">Begin with your writing</h2>
      <div className="ruled">
        {pasting ? (
          <form onSubmit={(event) => { event.preventDefault(); void begin(takeText(formText(event.currentTarget, "text"), null)); }}>
            <textarea name="text" className="ruled-text ruled-lines" rows={8} aria-label="Your writing" placeholder="Paste it here." autoFocus required />
            <div className="actions ruled-actions">
              <button type="submit" className="button button-primary" disabled={busy}>Read this</button>
              <button type="button" className="link" onClick={() => setPasting(false)}>Choose files instead</button>
            </div>
          </form>
        ) : (
          <>
            <div className="ruled-lines">
              <p className="ruled-line">
                <span className="for-mouse">Drop your writing anywhere on this page{known ? ", as a new hand" : ""}.</span>
                <span className="for-touch">Choose your writing{known ? ", for a new hand" : ""}.</span>
              </p>
              <p className="ruled-line quiet">Text, Word, PDF, web pages, e-books, e-mail, tables, or a .zip of them; one, many, or a folder.</p>
            </div>
            <div className="actions ruled-actions">
              <FilePicker className="button button-primary" testId="drop-input" accept={WRITING_FILES} multiple onFiles={choose}>
                Choose files
              </FilePicker>
              <FilePicker className="link" testId="folder-input" folder onFiles={choose}>Choose a folder</FilePicker>
              <button type="button" className="link" onClick={() => setPasting(true)}>Paste text</button>
            </div>
          </>
        )}
      </div>
      <IntakeReport />
    </section>
  );
}
