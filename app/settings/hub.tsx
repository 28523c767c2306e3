"use client";
/** The switch of the model hub, and the way to the page where its models are. */
import Link from "next/link";
import { HubSwitch } from "../_components/hub-switch";

export function Hub() {
  return (
    <>
      <HubSwitch />
      <p className="mt-3"><Link className="link" href="/models">Which models there are</Link></p>
    </>
  );
}
