/** Time and timers, so that tests can run them by hand. */
export interface Clock {
  /** Milliseconds since any fixed moment; never jumps. May stand still while the machine sleeps. */
  now(): number;
  /** Milliseconds of the wall clock: jumps when it is set, and after sleep. */
  wall(): number;
  /** Runs f once after ms milliseconds, unless the returned function is called before. */
  after(ms: number, f: () => void): () => void;
}

export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, f) {
    const timer = setTimeout(f, ms);
    return () => clearTimeout(timer);
  },
};

/** One restartable timer. */
export class Timer {
  private cancel: (() => void) | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly f: () => void,
  ) {}

  get running(): boolean {
    return this.cancel !== null;
  }

  /** Runs f after ms milliseconds; an earlier setting is forgotten. */
  set(ms: number): void {
    this.stop();
    this.cancel = this.clock.after(ms, () => {
      this.cancel = null;
      this.f();
    });
  }

  stop(): void {
    this.cancel?.();
    this.cancel = null;
  }
}
