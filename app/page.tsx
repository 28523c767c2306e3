"use client";
import { useState } from "react";
import { start } from "./_engine/start";

export default function Page() {
  const [text, setText] = useState("");
  return <button onClick={() => { start(setText); }}>go {text}</button>;
}
