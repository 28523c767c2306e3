/** The keys of the fields that one writes messages in. */
import type { KeyboardEvent } from "react";

/** Enter alone; one that ends a word of an input method is not meant. */
export function isSend(event: KeyboardEvent): boolean {
  return event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey && !event.nativeEvent.isComposing;
}
