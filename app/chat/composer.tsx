"use client";
/** Where the person writes: in which of three ways, what, and who is to answer. Enter sends, Shift and Enter begins a line. */
import { useId, type KeyboardEvent, type Ref } from "react";
import { DEFAULT_MAX_PROMPT_WORDS } from "../../lib/data/examples";
import type { AdapterInfo } from "../../lib/store/adapters";
import { say, stopAnswer } from "../_state/answering";
import { canAsk, type Form } from "../_state/asking";
import { change, chat } from "../_state/chat";
import { chatSettings, setChatSettings, type Who } from "../_state/chat-settings";
import { useStore } from "../_state/use-store";
import { isSend } from "./keys";

const FORMS: readonly { form: Form; name: string; label: string; placeholder: string; hint: string }[] = [
  { form: "chat", name: "Talk", label: "What you say", placeholder: "Say something.", hint: "Enter sends, Shift and Enter begins a line, Escape stops." },
  { form: "continue", name: "Go on with my text", label: "Text to go on with", placeholder: "Write a few lines, and let it go on.", hint: `It reads the last ${DEFAULT_MAX_PROMPT_WORDS} words of it, and nothing else that was said here.` },
  { form: "keywords", name: "From key words", label: "Key words, separated by commas", placeholder: "bread, oven, night", hint: "One to eight words. It tries to use them; being small, it does not always." },
];

export function Composer({ adapter, ref }: { adapter: AdapterInfo | null; ref: Ref<HTMLTextAreaElement> }) {
  const draft = useStore(chat, (c) => c.draft);
  const live = useStore(chat, (c) => c.live);
  const who = useStore(chatSettings, (s) => s.who);
  const group = useId();
  const { label, placeholder, hint } = FORMS.find(({ form }) => form === draft.form)!;
  const ready = live === null && canAsk(draft.form, draft.text);

  const send = (): void => {
    if (!ready) return;
    change({ draft: { ...draft, text: "" } });
    void say(draft.form, draft.text);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isSend(event)) return;
    event.preventDefault();
    send();
  };
  return (
    <form className="composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <fieldset className="forms composer-forms">
        <legend className="sr-only">What it is to do</legend>
        {FORMS.map(({ form, name }) => (
          <label key={form} data-checked={draft.form === form}>
            <input type="radio" name={group} value={form} checked={draft.form === form} onChange={() => change({ draft: { ...draft, form } })} />
            {name}
          </label>
        ))}
      </fieldset>
      <textarea
        ref={ref} className="field field-text composer-field" rows={2} data-testid="composer" aria-label={label} aria-describedby={`${group}-hint`} placeholder={placeholder} enterKeyHint="send"
        value={draft.text} onChange={(event) => change({ draft: { ...draft, text: event.currentTarget.value } })} onKeyDown={onKeyDown}
      />
      <div className="composer-foot">
        {live === null
          ? <button type="submit" className="button button-primary" data-testid="send" disabled={!ready}>Send</button>
          : <button type="button" className="button button-primary" data-testid="stop" disabled={live.stopping} onClick={stopAnswer}>{live.stopping ? "Stopping…" : "Stop"}</button>}
        {adapter !== null && (
          <div className="composer-who">
            <label htmlFor={`${group}-who`}>Answered by</label>
            <select id={`${group}-who`} className="prompt-list" data-testid="who" value={who} onChange={(event) => setChatSettings({ who: event.currentTarget.value as Who })}>
              <option value="tuned">the taught model</option>
              <option value="base">the model as it came</option>
              <option value="both">both, side by side</option>
            </select>
          </div>
        )}
        <p id={`${group}-hint`} className="quiet small composer-hint" data-form={draft.form}>{hint}</p>
      </div>
    </form>
  );
}
