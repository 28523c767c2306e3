import { describe, expect, it } from "vitest";
import { AskingLock } from "./tab-lock";

let serial = 0;
/** Locks of one name, as several tabs have them. */
const tabs = (count: number): AskingLock[] => {
  const name = `test-${serial++}`;
  return Array.from({ length: count }, () => new AskingLock(name));
};

/** Work that lasts until it is told to end. */
function work(): { run: () => Promise<string>; begun: Promise<void>; end: () => void } {
  let end: () => void = () => undefined, begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const over = new Promise<void>((resolve) => (end = resolve));
  return { run: async () => { begin(); await over; return "done"; }, begun, end };
}

describe("AskingLock", () => {
  it("is one tab's at a time, and free again when its work ends or fails", async () => {
    const [a, b] = tabs(2) as [AskingLock, AskingLock];
    const long = work();
    const held = a.hold(long.run, 0);
    await long.begun;
    expect(await b.hold(() => Promise.resolve("never"), 0)).toBeNull();
    expect(await a.hold(() => Promise.resolve("never"), 0)).toBeNull(); // not twice in one tab either
    long.end();
    expect(await held).toEqual({ result: "done" });
    await expect(b.hold(() => Promise.reject(new Error("broken")), 0)).rejects.toThrow("broken");
    expect(await a.hold(() => Promise.resolve("again"), 0)).toEqual({ result: "again" });
  });

  it("is waited for as long as patience lasts", async () => {
    const [a, b] = tabs(2) as [AskingLock, AskingLock];
    const long = work();
    void a.hold(long.run, 0);
    await long.begun;
    const waiting = b.hold(() => Promise.resolve("mine"), 60_000);
    const free = b.untilFree();
    long.end();
    expect(await waiting).toEqual({ result: "mine" });
    await free;
  });

  it("is never two tabs' that ask in the same moment", async () => {
    const all = tabs(4);
    let inside = 0, most = 0;
    const results = await Promise.all(all.map(async (lock, i) => {
      // The last ones ask when the first have almost stopped listening.
      await new Promise((resolve) => setTimeout(resolve, i * 125));
      return lock.hold(async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 1000));
        inside--;
      }, 0);
    }));
    expect(most).toBe(1);
    expect(results.filter((result) => result !== null)).toHaveLength(1);
  });
});
