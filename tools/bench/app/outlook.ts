/**
 * How long trainings will take, by what those of this run have taken: a word
 * trained on costs about the same with every author. What comes after a training
 * (scoring, samples) is not in it.
 */

const TELL_EVERY_MS = 60_000;
/** The first steps are slower than the rest. */
const FIRST_STEPS = 3;

export class Outlook {
  /** Words, and the time they took. */
  private trained = 0;
  private ms = 0;
  private author = -1;
  private lastDone = 0;
  private lastAt = 0;
  private toldAt = -Infinity;
  private readonly finished: boolean[];

  /** @param words of each author's training text */
  constructor(private readonly words: readonly number[], private readonly tell: (text: string) => void, private readonly now: () => number = () => performance.now()) {
    this.finished = words.map(() => false);
  }

  /**
   * After a step of an author's.
   * @param done steps done of this training
   * @param whole steps that it has when it is not cut short
   */
  step(author: number, done: number, whole: number): void {
    const now = this.now();
    if (author === this.author && done > FIRST_STEPS) {
      this.trained += ((done - this.lastDone) / whole) * this.words[author]!;
      this.ms += now - this.lastAt;
    }
    [this.author, this.lastDone, this.lastAt] = [author, done, now];
    if (this.trained === 0 || now - this.toldAt < TELL_EVERY_MS) return;
    this.toldAt = now;
    const left = this.words.reduce((sum, words, i) => sum + (this.finished[i] ? 0 : i === author ? words * (1 - done / whole) : words), 0);
    this.tell(`step ${done} of ${whole}; about ${this.time(left)} of training left, ${this.time(this.words.reduce((a, b) => a + b, 0))} for all ${this.words.length} authors from the beginning`);
  }

  done(author: number): void {
    this.finished[author] = true;
  }

  private time(words: number): string {
    const minutes = Math.max(1, Math.round((words * this.ms) / this.trained / 60_000));
    return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }
}
