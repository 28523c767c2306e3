/**
 * The way to the page for downloads: a load of its own, for only then has the
 * page the policy that lets it ask the hub, and only so is nothing of this page
 * left in it. What is wanted there is told by the tab's own memory, so that no
 * address, and no other site, can ask for a download.
 */
import { DuctusError } from "../../lib/core/errors";
import { HUB_PAGE } from "../../lib/core/hub-hosts";
import { everything } from "./everything";
import { setWish } from "./hub-wish";
import { models } from "./models";
import { isBusy, run } from "./run";

/**
 * Leaves this page for that one.
 * @param repo what is wanted, `owner/name`; null: the person will say so there
 * @throws DuctusError `app/busy` where leaving would end something, `model/offline` where there is nothing to be had there
 */
export function visitHub(repo: string | null): void {
  if (isBusy(run.get().live)) throw new DuctusError("app/busy", "A training run is going on in this tab, or what it learned is not kept yet. The page for downloads is loaded by itself, and that would be lost.", "Wait for the run to end, or stop it on the Train page; what it has learned is then kept.");
  if (models.get().incoming?.state === "adding") throw new DuctusError("app/busy", "A model is being brought in, and going to the page for downloads would end that.", "Wait for it to end, or stop it.");
  if (everything.get().going !== null) throw new DuctusError("app/busy", "Everything is just being saved or opened, and going to the page for downloads would end that.", "Wait for it to end, or stop it in the settings.");
  if (!navigator.onLine) throw new DuctusError("model/offline", "There is no connection, so the hub cannot be reached.", "Connect, and try again. What has been downloaded so far is kept.");
  setWish(repo);
  location.assign(HUB_PAGE);
}
