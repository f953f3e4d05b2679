import type { Transport, TransportName } from "./link.ts";
import type { Verdicts } from "./verdicts.ts";

/** A link that dies within this time of its first record, in ms, was killed. */
const killedWithin = 5000;

/** So many kills within this time, in ms, are a habit. */
const habit = 2;
const habitTime = 60_000;

/** How long to wait for a transport before the next one is started beside it, in ms. */
const patience = { duplex: 750, stream: 2000, poll: 4000 };

/** How long a transport may take for its first record, in ms, when there is another to go to. */
const limit = { duplex: 10_000, stream: 2000, poll: 10_000 };
const lastResort = 10_000;

/** How a link ended that had worked. */
export interface Loss {
  livedMs: number;
  /** Nothing came after the first record, and a probe found out. */
  mute: boolean;
  /** What was sent arrived, but the answer is held back on the way. */
  buffered: boolean;
}

/**
 * Which transports to try and in which order. It is told what happened and keeps
 * verdicts; it starts nothing itself.
 */
export class Chooser {
  private readonly kills = new Map<TransportName, number[]>(); // when, in ms

  /**
   * @param list what may be used here, the best first
   * @param now monotonic clock in ms
   */
  constructor(
    readonly list: readonly Transport[],
    private readonly verdicts: Verdicts,
    private readonly now: () => number,
  ) {}

  /**
   * What to try, in this order. Transports with a verdict against them come last.
   * Later cycles, when nothing works at all, ask only one of each kind.
   */
  order(cycle: number): Transport[] {
    const good = this.list.filter((t) => this.verdicts.wait(t.name) === 0);
    const bad = this.list.filter((t) => this.verdicts.wait(t.name) > 0);
    const all = [...good, ...bad];
    return cycle === 0 ? all : all.filter((t, i) => all.findIndex((u) => u.kind === t.kind) === i);
  }

  /** How long to wait for t before the next is started beside it, on a way that takes rtt ms. */
  patience(t: Transport, rtt: number): number {
    return Math.max(patience[t.kind], 2 * rtt);
  }

  /** How long t may take. alternatives: whether there is anything else to try. */
  limit(t: Transport, alternatives: boolean, rtt: number): number {
    return alternatives ? Math.max(limit[t.kind], 3 * rtt) : lastResort;
  }

  /**
   * t carries the session, and these did not when they were tried with it.
   * streamsHeld: a stream was among them that was not answered in time.
   */
  worked(t: Transport, failed: Iterable<TransportName>, streamsHeld: boolean): void {
    // What has been killed must live for a while to be trusted again.
    if (!this.kills.has(t.name)) this.verdicts.clear(t.name);
    for (const name of failed) {
      const rank = this.list.findIndex((u) => u.name === name);
      if (rank >= 0 && rank < this.list.indexOf(t)) this.verdicts.against(name, false);
    }
    if (streamsHeld && t.kind !== "stream") this.streamsHeld();
  }

  /** A link that had worked ended, and nobody wanted it to. */
  lost(t: Transport, loss: Loss): void {
    if (loss.buffered) this.streamsHeld();
    else if (loss.mute) this.verdicts.against(t.name, false);
    if (t.kind === "poll") return;
    if (loss.livedMs > killedWithin && !loss.mute) {
      this.kills.delete(t.name);
      return;
    }
    const recent = (this.kills.get(t.name) ?? []).filter((at) => this.now() - at < habitTime);
    this.kills.set(t.name, [...recent, this.now()]);
    if (recent.length + 1 >= habit) this.verdicts.against(t.name, true);
  }

  /** The best transport above t, and how long to wait before it is tried again; null if t is the best. */
  upgrade(t: Transport): { to: Transport; wait: number } | null {
    let best: { to: Transport; wait: number } | null = null;
    for (const u of this.list.slice(0, this.list.indexOf(t))) {
      const wait = this.verdicts.wait(u.name);
      if (!best || wait < best.wait) best = { to: u, wait };
    }
    return best;
  }

  private streamsHeld(): void {
    for (const u of this.list) if (u.kind === "stream") this.verdicts.against(u.name, true);
  }
}
