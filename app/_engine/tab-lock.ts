/**
 * A lock over all tabs of this site. Web Locks are that, and the browser frees
 * them when a tab dies; a page whose address is not secure (http from another
 * machine) has none, and there tabs ask one another: whoever holds the lock
 * answers. A tab that died answers no more, which frees its lock as well.
 *
 * Nor does a tab that the browser has frozen in the background, so there another
 * tab may take the lock from it, and when it wakes both go on. What they may come
 * to do at once is borne: two runs are slower and each has records of its own,
 * and the same run, gone on with in the other tab meanwhile, is repeated from the
 * same state to the same numbers. With Web Locks a frozen tab keeps its lock.
 */
export interface TabLock {
  /** Runs `work` under the lock; waits for it up to `patienceMs`. Null where another tab holds it for longer. */
  hold<T>(work: () => Promise<T>, patienceMs: number): Promise<{ result: T } | null>;
  /** Resolves when the lock is free, however long that takes. */
  untilFree(): Promise<void>;
}

export function openTabLock(name: string): TabLock {
  const locks = (navigator as { locks?: LockManager }).locks;
  return locks === undefined ? new AskingLock(name) : new WebLock(name, locks);
}

class WebLock implements TabLock {
  constructor(private readonly name: string, private readonly locks: LockManager) {}

  async hold<T>(work: () => Promise<T>, patienceMs: number): Promise<{ result: T } | null> {
    if (patienceMs === 0) return this.locks.request(this.name, { ifAvailable: true }, async (lock) => (lock === null ? null : { result: await work() }));
    let granted = false;
    try {
      return await this.locks.request(this.name, { signal: AbortSignal.timeout(patienceMs) }, async () => {
        granted = true;
        return { result: await work() };
      });
    } catch (error) {
      if (granted || !(error instanceof DOMException)) throw error;
      return null;
    }
  }

  async untilFree(): Promise<void> {
    await this.locks.request(this.name, () => Promise.resolve());
  }
}

/** What tabs say to one another. */
type Message = { say: "who"; id: number } | { say: "mine"; to: number };

/** A tab answers within this; the pages' own work lies in workers. */
const ANSWER_MS = 400;
const ASK_AGAIN_MS = 2000;

/** Exported for its test. */
export class AskingLock implements TabLock {
  private readonly channel: BroadcastChannel;
  /** Of the tab; while two ask at once, the lower one goes first. */
  private readonly id = crypto.getRandomValues(new Uint32Array(1))[0]!;
  private state: "idle" | "asking" | "held" = "idle";
  private refuse: () => void = () => undefined;

  constructor(name: string) {
    this.channel = new BroadcastChannel(name);
    // Node's keep the process alive unless told not to.
    (this.channel as BroadcastChannel & { unref?: () => void }).unref?.();
    this.channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.say === "mine") {
        if (data.to === this.id) this.refuse();
      } else if (this.state === "held" || (this.state === "asking" && this.id < data.id)) this.say({ say: "mine", to: data.id });
      else this.refuse(); // one that goes first has not heard this one ask
    };
  }

  async hold<T>(work: () => Promise<T>, patienceMs: number): Promise<{ result: T } | null> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      if (this.state === "idle" && (await this.ask())) break;
      if (performance.now() >= deadline) return null;
      await pause(ANSWER_MS / 4);
    }
    try {
      return { result: await work() };
    } finally {
      this.state = "idle";
    }
  }

  async untilFree(): Promise<void> {
    while ((await this.hold(() => Promise.resolve(), 0)) === null) await pause(ASK_AGAIN_MS);
  }

  /** Whether nobody objected; the lock is then this tab's. */
  private async ask(): Promise<boolean> {
    this.state = "asking";
    const refused = new Promise<"refused">((resolve) => (this.refuse = () => resolve("refused")));
    this.say({ say: "who", id: this.id });
    const answer = await Promise.race([refused, pause(ANSWER_MS)]);
    this.refuse = () => undefined;
    this.state = answer === "refused" ? "idle" : "held";
    return this.state === "held";
  }

  private say(message: Message): void {
    this.channel.postMessage(message);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
