import { expect, it, vi } from "vitest";
import { hubRequests, keepHubRequest } from "./hub-requests";

const note = { address: "https://huggingface.co/a", initiator: "fetch", startedAt: 1, endedAt: 2, transferBytes: 3, bytes: 3, byServiceWorker: false, status: 200 };

it("keeps the newest, passes over what it cannot read, and does without a memory", () => {
  expect(hubRequests()).toEqual([]);
  keepHubRequest(note);
  let text: string | null = null;
  vi.stubGlobal("sessionStorage", { getItem: () => text, setItem: (_: string, value: string) => void (text = value) });
  for (let i = 0; i < 310; i++) keepHubRequest({ ...note, startedAt: i });
  expect(hubRequests()).toHaveLength(300);
  expect(hubRequests().at(-1)).toEqual({ ...note, startedAt: 309 });
  for (const bad of ["{", "7", JSON.stringify([{ ...note, bytes: "many" }])]) {
    text = bad;
    expect(hubRequests()).toEqual([]);
  }
});
