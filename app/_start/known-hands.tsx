"use client";
/** For somebody who comes back: the hands that are here. */
import { useRouter } from "next/navigation";
import { useStore } from "../_state/use-store";
import { openHand, workspace } from "../_state/workspace";
import { date } from "../_components/format";

export function KnownHands() {
  const hands = useStore(workspace, (w) => w.hands);
  const router = useRouter();
  if (hands.length === 0) return null;
  const open = async (id: string): Promise<void> => {
    await openHand(id);
    router.push("/writing");
  };
  return (
    <section className="mt-10" aria-labelledby="known">
      <h2 id="known" className="label mb-1">Here already</h2>
      <ul className="list-rows">
        {[...hands].reverse().map((hand) => (
          <li key={hand.id}>
            <button type="button" className="known-hand" onClick={() => void open(hand.id)}>
              <span className="name">{hand.name}</span>
              <span className="quiet small shrink-0">{hand.source === "sample" ? "Sample writer, " : ""}{date(hand.createdAt)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
