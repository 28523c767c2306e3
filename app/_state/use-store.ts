"use client";
/** The thin hook over a store: rereads what `select` picks, and renders when that has changed. */
import { useSyncExternalStore } from "react";
import type { Store } from "./store";

/** @param select must return the same reference while nothing it picks has changed. */
export function useStore<T extends object, S>(store: Store<T>, select: (value: T) => S): S {
  return useSyncExternalStore(
    store.subscribe,
    () => select(store.get()),
    () => select(store.initial),
  );
}
