/**
 * Where models may be fetched from, for the one page that may: the Hugging Face
 * hub, and the hosts that it sends on to for large files. Those are chosen by
 * where one is (`us.aws.cdn.hf.co`, `cas-bridge.xethub.hf.co`, …) and change their
 * names, but all of them end in its own `hf.co`, on which nobody else has a place.
 * From the hub's guide "Downloading behind a proxy or firewall".
 */

export const HUB_ORIGIN = "https://huggingface.co";

/** As sources of a Content Security Policy; a star stands for one or more names. */
export const HUB_SOURCES: readonly string[] = [HUB_ORIGIN, "https://*.hf.co"];

/** The one page that may ask these hosts. */
export const HUB_PAGE = "/hub";

/** Whether an address is one of theirs, as the policy has it. */
export function isHubAddress(address: string): boolean {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return false;
  }
  return url.protocol === "https:" && url.port === "" && (url.origin === HUB_ORIGIN || url.hostname.endsWith(".hf.co"));
}
