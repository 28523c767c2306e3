"use client";
/** Makes the whole window a place to drop files and folders, and to paste files. Where each goes: receiving.ts. */
import { usePathname, useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { droppedFiles } from "./dropped";
import { receive, refuse, type Go } from "./receiving";

export function DropTarget() {
  const [over, setOver] = useState(false);
  const path = usePathname();
  const router = useRouter();
  useEffect(() => {
    let depth = 0; // enter and leave fire for every element passed
    const holdsFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") ?? false;
    const onEnter = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      depth++;
      setOver(true);
    };
    const onLeave = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const onOver = (event: DragEvent): void => {
      if (holdsFiles(event)) event.preventDefault();
    };
    const go: Go = (to) => router.push(to);
    const take = async (transfer: DataTransfer): Promise<void> => {
      const { files, hasMore } = await droppedFiles(transfer);
      await receive(files, hasMore, path, go);
    };
    const onDrop = (event: DragEvent): void => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      if (event.dataTransfer !== null) take(event.dataTransfer).catch((error: unknown) => refuse(error, path, go));
    };
    const onPaste = (event: ClipboardEvent): void => {
      const { clipboardData } = event;
      // Text goes where the cursor is; files have no other place than this.
      if (clipboardData === null || clipboardData.files.length === 0 || clipboardData.types.includes("text/plain")) return;
      event.preventDefault();
      take(clipboardData).catch((error: unknown) => refuse(error, path, go));
    };
    addEventListener("paste", onPaste);
    addEventListener("dragenter", onEnter);
    addEventListener("dragleave", onLeave);
    addEventListener("dragover", onOver);
    addEventListener("drop", onDrop);
    return () => {
      removeEventListener("paste", onPaste);
      removeEventListener("dragenter", onEnter);
      removeEventListener("dragleave", onLeave);
      removeEventListener("dragover", onOver);
      removeEventListener("drop", onDrop);
    };
  }, [path, router]);
  if (!over) return null;
  return <div className="drop-veil" aria-hidden="true"><p>Let go, and they are read here</p></div>;
}
