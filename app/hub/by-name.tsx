"use client";
/** A model's name, and the question to the hub. */
import { useId, useState } from "react";
import { hub, lookUp } from "../_state/hub";
import { useStore } from "../_state/use-store";

export function ByName() {
  const { looking, going } = useStore(hub, (h) => h);
  const [name, setName] = useState("");
  const id = useId();
  return (
    <form className="mt-8" onSubmit={(event) => { event.preventDefault(); void lookUp(name); }}>
      <label htmlFor={id} className="label">A model by its name</label>
      <div className="hub-ask mt-1">
        <input id={id} className="field" data-testid="hub-name" value={name} onChange={(event) => setName(event.target.value)} placeholder="owner/name" aria-describedby={`${id}-help`} autoComplete="off" autoCapitalize="off" spellCheck={false} maxLength={300} />
        <button type="submit" className="button" data-testid="hub-look" disabled={looking !== null || going !== null || name.trim() === ""}>Look it up</button>
      </div>
      <p id={`${id}-help`} className="small quiet mt-1">For example Qwen/Qwen3-0.6B-Base, or the address of its page on the hub. Models of the kinds Qwen2, Qwen3 and Llama can be taught here.</p>
      <p role="status" className={looking === null ? "sr-only" : "mt-4 quiet"}>{looking !== null && `Asking the hub for “${looking}”…`}</p>
    </form>
  );
}
