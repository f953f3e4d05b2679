import type { Clock } from "../src/clock.ts";

/** Time that passes only when a test lets it. Between timers everything that promises hold up runs. */
export class VirtualClock implements Clock {
  private time = 1_000_000;
  private skew = 0;
  private timers: { at: number; order: number; f: () => void }[] = [];
  private order = 0;

  now = (): number => this.time;
  wall = (): number => this.time + this.skew;

  after = (ms: number, f: () => void): (() => void) => {
    const timer = { at: this.time + Math.max(0, ms), order: this.order++, f };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((t) => t !== timer);
    };
  };

  /** Lets ms milliseconds pass, or less when done says so. */
  async pass(ms: number, done: () => boolean = () => false): Promise<void> {
    const end = this.time + ms;
    await settle();
    while (!done()) {
      const next = this.timers.reduce<(typeof this.timers)[0] | null>(
        (a, b) => (!a || b.at < a.at || (b.at === a.at && b.order < a.order) ? b : a),
        null,
      );
      if (!next || next.at > end) break;
      this.timers.splice(this.timers.indexOf(next), 1);
      this.time = Math.max(this.time, next.at);
      next.f();
      await settle();
    }
    if (!done()) this.time = end;
  }

  /** The machine sleeps: the wall clock goes on, timers and the other clock do not. */
  sleep(ms: number): void {
    this.skew += ms;
  }
}

/** Runs what promises and streams have queued. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
}
