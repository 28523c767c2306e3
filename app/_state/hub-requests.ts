/**
 * What the page for downloads has asked the model hub for, carried over to the
 * tab's other pages, so that the list in the settings tells of it as well. It
 * lies in the tab's own memory and goes with the tab.
 */
import "../../lib/zod";
import * as z from "zod";
import type { RequestNote } from "../../lib/core/request-note";

/** Who asked, as the list has it. */
export const HUB_ASKER = "ductus-hub-page";

const KEY = "ductus-hub-requests";
const MAX_NOTES = 300;

const noteSchema: z.ZodType<RequestNote> = z.strictObject({
  address: z.string().max(4000), initiator: z.string().max(40), startedAt: z.number(), endedAt: z.number(),
  transferBytes: z.number().nonnegative(), bytes: z.number().nonnegative(), byServiceWorker: z.boolean(), status: z.int().nonnegative(),
});

/** Oldest first; none where the browser keeps none, or what is there cannot be read. */
export function hubRequests(): RequestNote[] {
  try {
    return z.array(noteSchema).safeParse(JSON.parse(sessionStorage.getItem(KEY) ?? "[]")).data ?? [];
  } catch {
    return [];
  }
}

export function keepHubRequest(note: RequestNote): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify([...hubRequests(), note].slice(-MAX_NOTES)));
  } catch {
    // The tab has no memory, or it is full: the developer tools still show every request.
  }
}
