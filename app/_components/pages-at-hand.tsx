"use client";
/**
 * Has every page's data in memory soon after the first has come, so that going
 * from one to another is never a load of a whole page: that would end a run, and
 * it is what the router does where there is no network, or another build.
 */
import { useRouter } from "next/navigation";
import { useEffect } from "react";

const PAGES = ["/", "/writing", "/train", "/models", "/compare", "/chat", "/share", "/settings"];
/** First what the page itself needs. */
const AFTER_MS = 1500;

export function PagesAtHand() {
  const router = useRouter();
  useEffect(() => {
    const prepare = (): void => {
      if (navigator.onLine) PAGES.forEach((page) => router.prefetch(page)); // without a network the service worker has them, when they are gone to
    };
    const timer = setTimeout(prepare, AFTER_MS);
    addEventListener("online", prepare);
    return () => {
      clearTimeout(timer);
      removeEventListener("online", prepare);
    };
  }, [router]);
  return null;
}
