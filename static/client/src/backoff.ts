/**
 * How long to wait before the next attempt: nothing before the first, then a
 * random time up to a bound that doubles from 100 ms to 5 s ("full jitter"), so
 * that the clients of a proxy that comes back do not all come at once.
 */
export class Backoff {
  private tries = 0;

  constructor(private readonly random: () => number = Math.random) {}

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const n = this.tries++;
    return n === 0 ? 0 : Math.round(this.random() * Math.min(5000, 100 * 2 ** Math.min(n - 1, 10)));
  }

  /**
   * Milliseconds to stay away when asked to for so many: up to half as much again, since
   * others were asked for the same at the same moment.
   */
  away(ms: number): number {
    return Math.round(ms * (1 + this.random() / 2));
  }

  /** The link has proved to be good: the next attempt is free again. */
  reset(): void {
    this.tries = 0;
  }
}
