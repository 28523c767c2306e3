/**
 * Whether this browser offers to install the site as an app, which it says once,
 * soon after a page has come; Chromium's browsers do, others have it in a menu.
 */
import { createStore } from "./store";

/** `BeforeInstallPromptEvent` of the Manifest Incubations draft, which TypeScript's DOM does not know. */
interface InstallEvent extends Event {
  prompt: () => Promise<unknown>;
  userChoice: Promise<{ outcome: "accepted" | "dismissed" }>;
}

export interface Install {
  offer: InstallEvent | null;
  installed: boolean;
}

export const install = createStore<Install>({ offer: null, installed: false });

/** @returns stops it */
export function watchInstall(): () => void {
  const offered = (event: Event): void => {
    event.preventDefault(); // no bar of the browser's own in the midst of writing
    install.set((i) => ({ ...i, offer: event as InstallEvent }));
  };
  const installed = (): void => install.set({ offer: null, installed: true });
  addEventListener("beforeinstallprompt", offered);
  addEventListener("appinstalled", installed);
  if (matchMedia("(display-mode: standalone)").matches) installed();
  return () => {
    removeEventListener("beforeinstallprompt", offered);
    removeEventListener("appinstalled", installed);
  };
}

/** Asks the person, in the browser's own words. An offer can be used once. */
export async function askToInstall(): Promise<void> {
  const { offer } = install.get();
  if (offer === null) return;
  await offer.prompt();
  await offer.userChoice;
  install.set((i) => ({ ...i, offer: null }));
}
