import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AskingLock } from "./tab-lock";

/** How long a message takes from tab to tab, by the clock of the test. */
const DELAY_MS = 20;

/** A channel on that clock, so that no slow machine makes an answer late. */
class Channel {
  static readonly open: Channel[] = [];
  onmessage: ((event: { data: unknown }) => void) | null = null;
  constructor(private readonly name: string) {
    Channel.open.push(this);
  }
  postMessage(data: unknown): void {
    const others = Channel.open.filter((other) => other !== this && other.name === this.name);
    setTimeout(() => others.forEach((other) => other.onmessage?.({ data })), DELAY_MS);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
  vi.stubGlobal("BroadcastChannel", Channel);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** The result of what takes less than ten seconds. */
async function soon<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined); // told below
  await vi.advanceTimersByTimeAsync(10_000);
  return work;
}

let serial = 0;
/** Locks of one name, as several tabs have them. */
const tabs = (count: number): AskingLock[] => {
  const name = `test-${serial++}`;
  return Array.from({ length: count }, () => new AskingLock(name));
};

/** Work that lasts until it is told to end. */
function work(): { run: () => Promise<string>; begun: () => boolean; end: () => void } {
  let end: () => void = () => undefined, begun = false;
  const over = new Promise<void>((resolve) => (end = resolve));
  return { run: async () => { begun = true; await over; return "done"; }, begun: () => begun, end: () => end() };
}

describe("AskingLock", () => {
  it("is one tab's at a time, and free again when its work ends or fails", async () => {
    const [a, b] = tabs(2) as [AskingLock, AskingLock];
    const long = work();
    const held = a.hold(long.run, 0);
    await vi.advanceTimersByTimeAsync(1000);
    expect(long.begun()).toBe(true);
    expect(await soon(b.hold(() => Promise.resolve("never"), 0))).toBeNull();
    expect(await soon(a.hold(() => Promise.resolve("never"), 0))).toBeNull(); // not twice in one tab either
    long.end();
    expect(await held).toEqual({ result: "done" });
    await expect(soon(b.hold(() => Promise.reject(new Error("broken")), 0))).rejects.toThrow("broken");
    expect(await soon(a.hold(() => Promise.resolve("again"), 0))).toEqual({ result: "again" });
  });

  it("is waited for as long as patience lasts", async () => {
    const [a, b] = tabs(2) as [AskingLock, AskingLock];
    const long = work();
    void a.hold(long.run, 0);
    await vi.advanceTimersByTimeAsync(1000);
    const waiting = b.hold(() => Promise.resolve("mine"), 60_000);
    let free = false;
    void b.untilFree().then(() => (free = true));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(free).toBe(false);
    long.end();
    expect(await soon(waiting)).toEqual({ result: "mine" });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(free).toBe(true);
  });

  it("is never two tabs' that ask in the same moment", async () => {
    // From all at once to the last ones asking when the first have almost stopped listening, or have begun.
    for (let apartMs = 0; apartMs <= 200; apartMs += 25) {
      let inside = 0, most = 0;
      const asked = tabs(4).map(async (lock, i) => {
        await new Promise((resolve) => setTimeout(resolve, i * apartMs));
        return lock.hold(async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setTimeout(resolve, 2000));
          inside--;
        }, 0);
      });
      const results = await soon(Promise.all(asked));
      expect(most, `${apartMs} ms apart`).toBe(1);
      expect(results.filter((result) => result !== null), `${apartMs} ms apart`).toHaveLength(1);
    }
  });
});
