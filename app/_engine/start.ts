export function start(tell: (text: string) => void): void {
  const worker = new Worker(new URL("../../workers/try.worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = (event: MessageEvent<string>) => { tell(event.data); };
}
