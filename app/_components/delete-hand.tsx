"use client";
/** Asks, and deletes a hand with all that is under it. */
import { useRouter } from "next/navigation";
import { DuctusError } from "../../lib/core/errors";
import { deleteHand } from "../../lib/store/hands";
import type { Hand } from "../../lib/store/types";
import { clearIntake } from "../_state/intake";
import { clearRun, isActive, run } from "../_state/run";
import { refresh } from "../_state/workspace";
import { Confirm } from "./confirm";

export function DeleteHand({ hand, onClose }: { hand: Hand; onClose: () => void }) {
  const router = useRouter();
  const remove = async (): Promise<void> => {
    const { live } = run.get();
    if (isActive(live) && live.handId === hand.id) throw new DuctusError("app/busy", "A training run of this hand is going on.", "Stop it first.");
    await deleteHand(hand.id);
    clearRun(hand.id);
    clearIntake();
    await refresh();
    router.push("/");
  };
  return (
    <Confirm
      title={`Delete “${hand.name}”?`}
      body="Its writing, its training runs and its adapters will be deleted from this browser. There is no other copy, except for what you have downloaded."
      action="Delete this hand"
      onConfirm={remove}
      onClose={onClose}
    />
  );
}
