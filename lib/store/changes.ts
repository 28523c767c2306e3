/**
 * Tells other tabs, workers and pages of this site that something was stored, so
 * that they can read it again. A signal only: it carries no data of the person's
 * and may be missed; the database is the truth. A context hears its own signals
 * too.
 */
export const CHANGE_KINDS = ["hands", "documents", "runs", "metrics", "adapters", "models", "conversations", "judgings", "settings", "everything"] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export interface Change {
  kind: ChangeKind;
  /** Whose; absent where it concerns no one hand. */
  handId?: string;
  runId?: string;
}

const CHANNEL_NAME = "ductus-store";
let sender: BroadcastChannel | null = null;

/** Called after the transaction has been stored. */
export function announce(change: Change): void {
  if (typeof BroadcastChannel === "undefined") return;
  if (sender === null) {
    sender = new BroadcastChannel(CHANNEL_NAME);
    letProcessEnd(sender);
  }
  sender.postMessage(change);
}

/** Calls back for each change; returns what ends it. */
export function subscribe(onChange: (change: Change) => void): () => void {
  if (typeof BroadcastChannel === "undefined") return () => undefined;
  const channel = new BroadcastChannel(CHANNEL_NAME);
  letProcessEnd(channel);
  channel.onmessage = (event: MessageEvent<unknown>) => {
    const change = readChange(event.data);
    if (change !== null) onChange(change);
  };
  return () => {
    channel.onmessage = null;
    channel.close();
  };
}

/** Another tab may run another version: what is not a known change is ignored. */
function readChange(value: unknown): Change | null {
  if (typeof value !== "object" || value === null) return null;
  const { kind, handId, runId } = value as Record<string, unknown>;
  const known = CHANGE_KINDS.find((k) => k === kind);
  if (known === undefined) return null;
  return { kind: known, ...(typeof handId === "string" ? { handId } : {}), ...(typeof runId === "string" ? { runId } : {}) };
}

/** Node's channels keep the process alive unless told not to; browsers' have no such method. */
function letProcessEnd(channel: BroadcastChannel): void {
  (channel as BroadcastChannel & { unref?: () => void }).unref?.();
}
