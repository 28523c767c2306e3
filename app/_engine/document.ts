/**
 * Which page this document was loaded as. A policy belongs to the document and
 * stays when the router shows another page in it, so what the page for downloads
 * may ask must not last into the others.
 */
import { HUB_PAGE } from "../../lib/core/hub-hosts";

/** Loads the page that is shown anew where it is shown in the document of the page for downloads. @returns whether it does */
export function leaveHubDocument(): boolean {
  const [navigation] = performance.getEntriesByType("navigation");
  if (navigation === undefined || new URL(navigation.name).pathname !== HUB_PAGE) return false;
  location.reload();
  return true;
}
