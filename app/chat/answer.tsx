"use client";
/** What the model wrote, or is writing: one voice, or both in facing columns; with what can be done about it. */
import type { ReactNode } from "react";
import type { AdapterInfo } from "../../lib/store/adapters";
import type { Written } from "../../lib/store/types";
import { CopyButton } from "../_components/copy-button";
import { bytes } from "../_components/format";
import { answer } from "../_state/answering";
import { chat, type Live } from "../_state/chat";
import { type Placed, VOICE_NAMES } from "../_state/thread";
import { useStore } from "../_state/use-store";
import { Versions } from "./versions";

interface Props {
  turn: Placed;
  adapters: readonly AdapterInfo[];
  /** It ends what is on show, and is a text that can go on. */
  goesOn: boolean;
}

export function Answer({ turn, adapters, goesOn }: Props) {
  const busy = useStore(chat, (c) => c.live !== null);
  const { after, beside, seed } = turn;
  const alone = beside === undefined;
  const copy = (said: Written) => said.text !== "" && <CopyButton text={said.text} what="this" />;
  const unfinished = (said: Written) => said.unfinished && <span data-testid="unfinished">{unfinishedWords(said)}</span>;
  return (
    <Frame pair={!alone} foot={
      <>
        <Versions turn={turn} what="answer" />
        {alone && copy(turn)}
        {after !== null && <button type="button" className="link small" data-testid="again" disabled={busy} onClick={() => void answer(after)}>Write again</button>}
        {goesOn && <button type="button" className="link small" data-testid="go-on" disabled={busy} onClick={() => void answer(turn.id)}>Go on</button>}
        {seed !== undefined && <span>seed {seed}</span>}
        {alone && unfinished(turn)}
      </>
    }>
      {(alone ? [turn] : [turn, beside]).map((said) => (
        <Voice key={said.voice} voice={said.voice ?? "tuned"} taughtBy={taughtBy(turn, adapters)} alone={alone} foot={alone ? null : <>{copy(said)}{unfinished(said)}</>}>
          {said.text === "" ? <span className="quiet">It wrote nothing and ended.</span> : said.text}
        </Voice>
      ))}
    </Frame>
  );
}

/** By whom, where it could be another one. */
function taughtBy({ adapterId }: Placed, adapters: readonly AdapterInfo[]): string | null {
  if (adapterId === undefined) return null;
  const found = adapters.find(({ id }) => id === adapterId);
  if (found === undefined) return "what is no longer here";
  return adapters.length > 1 ? found.name : null;
}

function unfinishedWords({ stop }: Written): string {
  return stop === "length" ? "Unfinished: it came to the length that is set." : stop === "stopped" ? "Unfinished: stopped." : "Unfinished.";
}

export function LiveAnswer({ live }: { live: Live }) {
  const { rows, loading } = live;
  return (
    <Frame pair={rows.length > 1} foot={loading !== null && <span>Opening the model, {bytes(loading.done)} of {bytes(loading.total)}</span>}>
      {rows.map(({ voice, text, stop }) => (
        <Voice key={voice} voice={voice} taughtBy={null} alone={rows.length === 1} live foot={null}>
          {text}
          {stop === null && <span className={`pen ${voice}`} aria-hidden="true" />}
        </Voice>
      ))}
    </Frame>
  );
}

function Frame({ pair, foot, children }: { pair: boolean; foot: ReactNode; children: ReactNode }) {
  return (
    <li className="turn turn-answer" data-testid="answer-turn" data-pair={pair}>
      {pair ? <div className="turn-pair">{children}</div> : children}
      <div className="turn-foot">{foot}</div>
    </li>
  );
}

function Voice({ voice, taughtBy, alone, live = false, foot, children }: { voice: "base" | "tuned"; taughtBy: string | null; alone: boolean; live?: boolean; foot: ReactNode; children: ReactNode }) {
  const name = <p className={`turn-name ${voice}`}>{VOICE_NAMES[voice]}{voice === "tuned" && taughtBy !== null && <span>by {taughtBy}</span>}</p>;
  const text = <p className="turn-text" data-testid={live ? "live-text" : "answer-text"} data-voice={voice}>{children}</p>;
  const own = foot !== null && <div className="turn-foot">{foot}</div>;
  return alone ? <>{name}{text}{own}</> : <div className="turn-voice">{name}{text}{own}</div>;
}
