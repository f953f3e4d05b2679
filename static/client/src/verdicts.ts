import type { TransportName } from "./link.ts";

/** Where verdicts outlive the page: localStorage, or nothing. */
export interface Storage {
  get(key: string): string | null;
  set(key: string, value: string): void;
}

/** How long a transport that failed is not preferred, in ms: after the first time, and after more. */
const firstTerm = 60_000;
const fullTerm = 600_000;

interface Verdict {
  /** Wall clock, ms: when the transport may be tried again. */
  until: number;
  /** How often it has failed since it last worked. */
  strikes: number;
}

/**
 * Which transports have failed on the way to one proxy while others worked. A
 * verdict expires; then the transport is tried again.
 */
export class Verdicts {
  private readonly all = new Map<TransportName, Verdict>();

  /**
   * @param key names the proxy in the storage
   * @param wall the wall clock in ms
   */
  constructor(
    private readonly storage: Storage,
    private readonly key: string,
    private readonly wall: () => number,
  ) {
    this.load();
  }

  /** Milliseconds until the transport may be tried again; 0 if nothing is against it. */
  wait(name: TransportName): number {
    return Math.max(0, (this.all.get(name)?.until ?? 0) - this.wall());
  }

  /** The transport failed, for sure if severe. */
  against(name: TransportName, severe: boolean): void {
    const strikes = (this.all.get(name)?.strikes ?? 0) + 1;
    this.all.set(name, { until: this.wall() + (severe || strikes > 1 ? fullTerm : firstTerm), strikes });
    this.save();
  }

  /** The transport works. */
  clear(name: TransportName): void {
    if (this.all.delete(name)) this.save();
  }

  private load(): void {
    try {
      const stored: unknown = JSON.parse(this.storage.get(this.key) ?? "{}");
      for (const [name, v] of Object.entries(stored as { [name: string]: Partial<Verdict> })) {
        if (typeof v.until !== "number" || typeof v.strikes !== "number") continue;
        // A clock that was set back must not make a verdict eternal.
        this.all.set(name as TransportName, { until: Math.min(v.until, this.wall() + fullTerm), strikes: v.strikes });
      }
    } catch {
      // No storage, or something else wrote there: begin without verdicts.
    }
  }

  private save(): void {
    try {
      this.storage.set(this.key, JSON.stringify(Object.fromEntries(this.all)));
    } catch {
      // Storage is full or forbidden: the page remembers by itself.
    }
  }
}

/** The browser's storage; reading and writing may throw. */
export const browserStorage: Storage = {
  get: (key) => (typeof localStorage === "undefined" ? null : localStorage.getItem(key)),
  set: (key, value) => {
    if (typeof localStorage !== "undefined") localStorage.setItem(key, value);
  },
};
