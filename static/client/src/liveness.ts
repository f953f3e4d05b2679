import { type Clock, Timer } from "./clock.ts";

/** How long something that must be answered soon may go unanswered before a probe, in ms. */
const doubtAfter = 2000;
const mostDoubt = 60_000;

/** How long the answer to a probe may take, in ms: this, and longer for what is sent before it. */
const probeLimit = 3000;
const slowest = 16; // bytes per ms
const mostAhead = 256 * 1024; // bytes: of more, something is acknowledged meanwhile, and that is heard

/** A link that has not proved itself is probed after this time, in ms. */
const proveAfter = 1000;

/** A silence this much longer than agreed, in ms, is a reason for doubt. */
const grace = 2000;

/** Timers are never set for longer, in ms, so that a machine that slept is noticed soon. */
const longestNap = 10_000;

/** A timer this late, in ms, means that the machine or the page was stopped. */
const late = 5000;

/** What the watch over a link needs of the link's owner. */
export interface Watched {
  /** Sends a PING to which the link answers with a PONG. */
  probe(): void;
  /** Sends a PING only so that the link is not silent. */
  keepAlive(): void;
  /** Bytes sent and not acknowledged, which a probe has to wait for. */
  inFlight(): number;
  /** The link is dead. */
  dead(reason: string): void;
}

/**
 * Watches whether the current downlink is alive. Whoever hears nothing although
 * something is due, for longer than agreed, or has another reason for doubt, probes
 * the link; a probe that is not answered is its end.
 */
export class Liveness {
  private readonly timer: Timer;
  private watching = false;
  private heardAt = 0;
  private dueSince = 0; // something must be answered since then; 0: nothing
  private doubt = doubtAfter;
  private probedAt = 0; // 0: no probe is out
  private proveAt = Infinity;
  private due = 0; // wall clock: when the timer should fire

  /** Seconds of silence that were agreed on. */
  hold = 25;
  /** Whether to send something before the silence is over. */
  keepsAlive = false;

  constructor(
    private readonly clock: Clock,
    private readonly watched: Watched,
  ) {
    this.timer = new Timer(clock, () => this.check());
  }

  /** Whether a probe is out. */
  get probing(): boolean {
    return this.probedAt > 0;
  }

  /** proven: the link needs no probe to be trusted. */
  start(hold: number, keepsAlive: boolean, proven: boolean): void {
    this.watching = true;
    this.hold = hold;
    this.keepsAlive = keepsAlive;
    this.heardAt = this.clock.now();
    this.dueSince = this.probedAt = 0;
    this.proveAt = proven ? Infinity : this.heardAt + proveAfter;
    this.doubt = doubtAfter;
    this.schedule();
  }

  stop(): void {
    this.watching = false;
    this.probedAt = 0;
    this.timer.stop();
  }

  /** Something arrived on the link. more: something else is still due. */
  heard(more: boolean): void {
    const now = (this.heardAt = this.clock.now());
    if (this.probedAt > 0) {
      this.probedAt = 0;
      this.doubt = Math.min(this.doubt * 2, mostDoubt);
    }
    const wasDue = this.dueSince > 0;
    this.dueSince = more ? now : 0;
    if (more && !wasDue && this.watching) this.schedule();
  }

  /** Something was sent that is usually answered on the link within a second. */
  expect(): void {
    if (!this.watching || this.dueSince > 0) return;
    this.dueSince = this.clock.now();
    this.schedule();
  }

  /** Something happened that may have killed the link: find out at once. */
  suspect(): void {
    if (!this.watching || this.probedAt > 0) return;
    this.proveAt = Infinity;
    this.probedAt = this.clock.now();
    this.watched.probe();
    this.schedule();
  }

  private check(): void {
    if (!this.watching) return;
    const now = this.clock.now();
    if (this.clock.wall() - this.due > late) {
      // What arrived meanwhile may not have been handed to us yet: ask again.
      this.heardAt = now;
      this.probedAt = 0;
      this.suspect();
      return;
    }
    if (this.probedAt > 0 && now >= this.probeEnd()) {
      this.watched.dead("a probe was not answered");
      return;
    }
    if (now >= Math.min(this.proveAt, this.silenceEnd()) || (this.dueSince > 0 && now >= this.dueSince + this.doubt)) this.suspect();
    if (this.keepsAlive && now >= this.heardAt + this.hold * 1000) this.watched.keepAlive();
    this.schedule();
  }

  private probeEnd(): number {
    return this.probedAt + probeLimit + Math.min(this.watched.inFlight(), mostAhead) / slowest;
  }

  private silenceEnd(): number {
    return this.heardAt + this.hold * 1000 + grace;
  }

  private schedule(): void {
    const now = this.clock.now();
    let at = Math.min(now + longestNap, Math.max(now, this.proveAt));
    if (this.probedAt > 0) at = Math.min(at, this.probeEnd());
    else at = Math.min(at, this.silenceEnd(), this.dueSince > 0 ? this.dueSince + this.doubt : Infinity);
    if (this.keepsAlive && this.heardAt + this.hold * 1000 > now) at = Math.min(at, this.heardAt + this.hold * 1000);
    const ms = Math.max(0, Math.ceil(at - now));
    this.due = this.clock.wall() + ms;
    this.timer.set(ms);
  }
}
