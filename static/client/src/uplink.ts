import { Backoff } from "./backoff.ts";
import { type Clock, Timer } from "./clock.ts";
import type { Exchange, LinkEnd } from "./link.ts";
import type { SessionRecord } from "./packet.ts";
import { endOf } from "./transports/exchange.ts";
import type { UplinkWay } from "./transports/uplink.ts";

/** How long a request may take, in ms: this, and longer for what it carries. */
const answerWithin = 15_000;
const slowest = 8; // bytes per ms

/** Requests that fail for this long, in ms, make the downlink doubtful too. */
const troubleAfter = 20_000;

/** What an uplink asks of its owner. */
export interface UplinkOwner {
  /** The records of the next request, or null when there is nothing to say. */
  uplinkRecords(way: UplinkWay): SessionRecord[] | null;
  /** The answer to the last request; returns whether it brought the session on. */
  uplinkAnswered(records: SessionRecord[]): boolean;
  /** The proxy refused, or nothing has come through for long. */
  uplinkTrouble(end: LinkEnd): void;
}

/**
 * Carries packets up in requests of their own: at once when none is in flight,
 * else merged into the next one. A request that fails is repeated.
 */
export class Uplink {
  private way: UplinkWay | null = null;
  private running: Exchange | null = null;
  private readonly backoff = new Backoff();
  private readonly retry: Timer;
  private readonly deadline: Timer;
  private failingSince = 0;

  constructor(
    private readonly clock: Clock,
    private readonly owner: UplinkOwner,
  ) {
    this.retry = new Timer(clock, () => this.kick());
    this.deadline = new Timer(clock, () => this.failed({ kind: "cut", reason: "no answer in time" }));
  }

  /** Whether a request is in flight. */
  get busy(): boolean {
    return this.running !== null;
  }

  start(way: UplinkWay): void {
    this.stop();
    this.way = way;
  }

  /** Forgets a request in flight: the proxy may have got it or not. */
  stop(): void {
    this.way = null;
    this.drop();
    this.retry.stop();
    this.backoff.reset();
    this.failingSince = 0;
  }

  /** Sends what there is to send, unless a request is in flight or a pause must be kept. */
  kick(): void {
    if (!this.way || this.running || this.retry.running) return;
    const records = this.owner.uplinkRecords(this.way);
    if (!records) return;
    let bytes = 0;
    for (const r of records) if (r.type === "DATA") bytes += r.data.length;
    const exchange = (this.running = this.way.send(records));
    this.deadline.set(answerWithin + bytes / slowest);
    exchange.answer.then(
      (answer) => {
        if (this.running === exchange) this.answered(answer);
      },
      (e: unknown) => {
        if (this.running !== exchange) return;
        this.failed(endOf(e));
      },
    );
  }

  private drop(): void {
    const exchange = this.running;
    this.running = null;
    this.deadline.stop();
    exchange?.abort();
  }

  private answered(records: SessionRecord[]): void {
    this.running = null;
    this.deadline.stop();
    const way = this.way;
    const progress = this.owner.uplinkAnswered(records);
    if (this.way !== way) return; // stopped meanwhile
    if (progress) {
      this.backoff.reset();
      this.failingSince = 0;
      this.kick();
    } else {
      this.pause(0);
    }
  }

  private failed(end: LinkEnd): void {
    this.drop();
    const way = this.way;
    this.failingSince ||= this.clock.now();
    const long = this.clock.now() - this.failingSince > troubleAfter;
    if (end.close || long) {
      this.owner.uplinkTrouble(end);
      if (this.way !== way || !this.way) return;
    }
    this.pause(end.close?.retry ?? 0);
  }

  private pause(retrySeconds: number): void {
    const ms = Math.max(this.backoff.next(), retrySeconds * 1000);
    this.retry.set(ms);
  }
}
