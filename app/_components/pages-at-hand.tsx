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
    const timer = setTimeout(() => PAGES.forEach((page) => router.prefetch(page)), AFTER_MS);
    return () => clearTimeout(timer);
  }, [router]);
  return null;
}
