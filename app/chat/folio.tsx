"use client";
/** The conversation, set like an interview: what was said and answered, what is being written, and what the model no longer sees. */
import { Fragment, useEffect, useLayoutEffect, useMemo, useRef, type RefObject } from "react";
import type { AdapterInfo } from "../../lib/store/adapters";
import { ErrorNote } from "../_components/error-note";
import { plural } from "../_components/format";
import { answer } from "../_state/answering";
import { firstSeen } from "../_state/asking";
import { chat, type Live } from "../_state/chat";
import type { Placed } from "../_state/thread";
import { useStore } from "../_state/use-store";
import { Answer, LiveAnswer } from "./answer";
import { Said } from "./said";

interface Props {
  path: readonly Placed[];
  adapters: readonly AdapterInfo[];
}

export function Folio({ path, adapters }: Props) {
  const openId = useStore(chat, (c) => c.open.id);
  const live = useStore(chat, (c) => c.live);
  const fault = useStore(chat, (c) => c.fault);
  const end = useFollowEnd(live, openId);
  const writing = live !== null;
  useEffect(() => {
    // What had the focus may be gone with what it was on; from here, the next is the composer and the last is the answer.
    if (document.activeElement === document.body) end.current?.focus({ preventScroll: true });
  }, [end, writing]);
  const seenId = useMemo(() => firstSeen(path.slice(0, path.findLastIndex(({ role }) => role === "assistant") + 1))?.id ?? null, [path]);
  const last = path.at(-1);
  const faulty = fault !== null && path.some(({ id }) => id === fault.after) ? fault : null;
  /** What followed what; the form that was asked for holds until the next question. */
  const forms = path.map((_, i) => path.slice(0, i + 1).findLast(({ role }) => role === "user")?.form ?? "chat");

  return (
    <section aria-label="Conversation" aria-busy={live !== null} data-testid="folio">
      <p className="sr-only" role="status">{live === null ? (last?.role === "assistant" ? "It has answered." : "") : live.loading === null ? "It is writing." : "Opening the model."}</p>
      <ol className="talk">
        {path.map((turn, i) => (
          <Fragment key={i}>{/* not by its id: the focus stays where one turns from version to version */}
            {turn.id === seenId && <li className="talk-seen" data-testid="forgotten"><span>The model no longer saw what stands above when it wrote its last answer: {plural(i, "message")} too far back.</span></li>}
            {turn.role === "user"
              ? <Said turn={turn} />
              : <Answer turn={turn} adapters={adapters} goesOn={i === path.length - 1 && forms[i] === "continue"} />}
          </Fragment>
        ))}
        {live !== null && last?.id === live.after && <LiveAnswer live={live} />}
      </ol>
      {faulty !== null && live === null ? (
        <div className="mt-4">
          <ErrorNote error={faulty.error}>
            <button type="button" className="button" onClick={() => void answer(faulty.after)}>Ask again</button>
            {faulty.error.code === "model/gone" && adapters.length > 0 && <button type="button" className="button" onClick={() => void answer(faulty.after, true)}>Ask the hand’s model as it came</button>}
          </ErrorNote>
        </div>
      ) : last?.role === "user" && live === null ? (
        <p className="actions mt-2"><span className="quiet">Not answered.</span> <button type="button" className="link" data-testid="answer" onClick={() => void answer(last.id)}>Have it answered</button></p>
      ) : null}
      <div ref={end} className="talk-end" tabIndex={-1} />
    </section>
  );
}

/** Keeps the end in sight while text arrives, unless the person has gone elsewhere to read. */
function useFollowEnd(live: Live | null, openId: string): RefObject<HTMLDivElement | null> {
  const end = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const after = live?.after ?? null;
  useLayoutEffect(() => {
    const target = end.current;
    if (target === null) return;
    const watcher = new IntersectionObserver(([entry]) => { following.current = entry?.isIntersecting ?? true; });
    watcher.observe(target);
    return () => watcher.disconnect();
  }, []);
  useLayoutEffect(() => {
    following.current = true; // another conversation, or something said
  }, [openId, after]);
  useLayoutEffect(() => {
    if (following.current) end.current?.scrollIntoView({ block: "nearest" });
  }, [live, openId]);
  return end;
}
