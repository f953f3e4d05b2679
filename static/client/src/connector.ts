import type { Attachment } from "./attachment.ts";
import { Backoff } from "./backoff.ts";
import type { Chooser } from "./chooser.ts";
import { type Clock, Timer } from "./clock.ts";
import type { LinkEnd, Transport } from "./link.ts";
import type { Reasons } from "./reasons.ts";

/** How long to try, in ms, before the first link has ever worked. */
const firstPatience = 15_000;

/** A better transport is not tried sooner than this, in ms, after a worse one began to work. */
const soonest = 30_000;

/** What the search for a link needs of its owner. */
export interface ConnectorOwner {
  /** Starts a link with this transport. */
  attach(t: Transport): Attachment;
  /** Seconds for which the session can be resumed; 0 before there is one. */
  resumable(): number;
  /** Nothing has worked for too long, or never will. */
  gaveUp(): void;
  /** Nothing has worked, twice, and nothing says why: find out whether it is hopeless. */
  nothingWorks(hopeless: () => void): void;
}

/**
 * Finds a link for a session: starts transports in the chooser's order, the next
 * one beside one that takes long, all again after a pause when none worked, until
 * one does or the time is up. Later it tries better transports in the background.
 *
 *   idle -- begin --> trying -- welcomed --> idle
 *                     trying -- all failed --> pausing -- pause over --> trying
 */
export class Connector {
  /** Links that have been started and not been welcomed yet. */
  readonly candidates = new Set<Attachment>();

  private searching = false;
  private deadlineAt = 0;
  private order: Transport[] = [];
  private cycle = 0;
  private rtt = 0; // ms from the start of the last good link to its first record
  private current: Transport | null = null;
  private readonly limits = new Map<Attachment, Timer>();
  private readonly backoff = new Backoff();
  private readonly next: Timer; // patience for the last one started, or a pause
  private readonly deadline: Timer;
  private readonly later: Timer;

  constructor(
    private readonly clock: Clock,
    private readonly chooser: Chooser,
    private readonly reasons: Reasons,
    private readonly owner: ConnectorOwner,
  ) {
    this.next = new Timer(clock, () => this.proceed());
    this.deadline = new Timer(clock, () => this.giveUp());
    this.later = new Timer(clock, () => this.tryBetter());
  }

  /** Starts the search, if none is on. */
  begin(): void {
    if (this.searching) return;
    this.searching = true;
    this.cycle = 0;
    this.later.stop();
    this.reasons.clear();
    if (this.chooser.list.length === 0) {
      this.giveUp();
      return;
    }
    const time = this.owner.resumable() * 1000 || firstPatience;
    this.deadlineAt = this.clock.now() + time;
    this.deadline.set(time);
    this.startCycle(0);
  }

  /** The current link has ended. good: it lived long or brought packets, so the next attempt is free. */
  lost(how: "good" | "bad" | "displaced"): void {
    this.current = null;
    this.later.stop();
    if (how === "good") this.backoff.reset();
    else if (how === "displaced") this.backoff.next(); // someone else may want the session: do not hurry
  }

  /** Ends a pause: the network is said to be back, or the page wants it. */
  hurry(): void {
    this.backoff.reset();
    if (this.searching && this.candidates.size === 0) this.startCycle(0);
  }

  /**
   * A candidate may carry the session now. Worse ones are dropped, better ones may go
   * on. Not beside a poll, though, once they have said hello: they and the next poll
   * would displace each other, and what is open and says nothing for so long is mute.
   */
  welcomed(att: Attachment): void {
    this.rtt = att.welcomedAt - att.startedAt;
    this.forget(att);
    const beside = att.transport.kind === "poll" ? [...this.candidates].filter((c) => c.opening !== "nothing") : [];
    const mute = beside.filter((c) => c.opened).map((c) => c.transport.name);
    const failed = [...(this.searching ? this.reasons.failedNow() : []), ...mute];
    this.chooser.worked(att.transport, failed, this.reasons.streamsHeld);
    this.searching = false;
    this.current = att.transport;
    this.next.stop();
    this.deadline.stop();
    const rank = this.chooser.list.indexOf(att.transport);
    for (const other of [...this.candidates]) {
      if (beside.includes(other) || this.chooser.list.indexOf(other.transport) >= rank) this.drop(other);
    }
    this.planBetter();
  }

  /** Forgets all candidates. */
  dropAll(): void {
    for (const att of [...this.candidates]) this.drop(att);
  }

  /** A candidate ended. */
  ended(att: Attachment, end: LinkEnd): void {
    this.forget(att);
    if (end.kind !== "retired") this.reasons.add(att.transport.name, end);
    if (this.searching) {
      // The proxy asks to be left alone for a while: that holds for the other transports too.
      if (end.close && end.close.retry > 0) this.order = [];
      this.proceed();
    } else if (this.current) {
      // A better transport does not work while this one does.
      if (end.kind !== "retired") this.chooser.worked(this.current, [att.transport.name], this.reasons.streamsHeld);
      this.planBetter();
    }
  }

  stop(): void {
    this.searching = false;
    for (const timer of [this.next, this.deadline, this.later]) timer.stop();
    this.dropAll();
  }

  private startCycle(retryMs: number): void {
    this.order = this.chooser.order(this.cycle++);
    this.reasons.newCycle();
    const ms = Math.max(this.backoff.next(), retryMs);
    if (ms === 0) this.proceed();
    else this.next.set(ms);
  }

  /** Starts the next transport if there is place for it, or ends the cycle. */
  private proceed(): void {
    while (this.searching && this.candidates.size < 2) {
      const t = this.order.shift();
      if (!t) {
        if (this.candidates.size === 0) this.cycleFailed();
        return;
      }
      if (t.kind === "stream" && this.reasons.streamsHeld && this.order.some((u) => u.kind !== "stream")) {
        this.reasons.add(t.name, { kind: "cut", reason: "not tried: something on the way holds streams back" });
        continue;
      }
      const alternatives = this.order.length > 0;
      this.start(t, alternatives);
      if (alternatives) this.next.set(this.chooser.patience(t, this.rtt));
      else this.next.stop();
      return;
    }
  }

  private start(t: Transport, alternatives: boolean): void {
    const limit = this.chooser.limit(t, alternatives, this.rtt);
    const att = this.owner.attach(t);
    const timer = new Timer(this.clock, () => this.tooLate(att, limit));
    this.candidates.add(att);
    this.limits.set(att, timer);
    timer.set(limit);
  }

  private tooLate(att: Attachment, limit: number): void {
    const within = `within ${limit / 1000} s`;
    if (att.transport.kind !== "stream") {
      att.cut(`no answer ${within}`);
      return;
    }
    this.reasons.streamsHeld = true;
    att.cut(`no first bytes ${within}: something on the way holds the answer back, or does not answer`);
  }

  private cycleFailed(): void {
    const refusal = this.reasons.refusal();
    const retry = this.backoff.away((refusal?.close?.retry ?? 0) * 1000);
    const tooLong = this.clock.now() + retry >= this.deadlineAt;
    const fresh = this.owner.resumable() === 0;
    if (fresh && refusal && (retry === 0 || tooLong)) {
      this.giveUp();
      return;
    }
    if (fresh && !refusal && this.cycle === 2) {
      this.owner.nothingWorks(() => {
        if (!this.searching || this.owner.resumable() > 0) return;
        this.reasons.originRefused = true;
        this.giveUp();
      });
    }
    this.startCycle(retry);
  }

  private giveUp(): void {
    for (const att of this.candidates) this.reasons.unanswered(att.transport.name);
    this.stop();
    this.owner.gaveUp();
  }

  /** Plans an attempt with a better transport than the current one. */
  private planBetter(): void {
    const plan = this.current && this.chooser.upgrade(this.current);
    if (plan) this.later.set(Math.max(plan.wait, soonest));
    else this.later.stop();
  }

  private tryBetter(): void {
    const plan = this.current && this.chooser.upgrade(this.current);
    if (!plan || this.searching) return;
    if (plan.wait > 0 || this.candidates.size > 0) {
      this.planBetter();
      return;
    }
    this.reasons.newCycle();
    this.start(plan.to, true);
  }

  private forget(att: Attachment): void {
    this.candidates.delete(att);
    this.limits.get(att)?.stop();
    this.limits.delete(att);
  }

  private drop(att: Attachment): void {
    this.forget(att);
    att.close();
  }
}
