/** Hands bytes to the browser as a download. */
export function saveAs(bytes: Uint8Array | Blob, name: string, type: string): void {
  const url = URL.createObjectURL(bytes instanceof Blob ? bytes : new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun by then; without this the bytes stay in memory with the page.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
