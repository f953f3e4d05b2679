import type { Bytes } from "./bytes.ts";
import { WireError } from "./cause.ts";
import { type Packet, packetCost } from "./packet.ts";

/** What may wait for acknowledgement, in cost: at first, and while it comes back fast. */
const firstBound = 256 * 1024;
const largestBound = 2 * 1024 * 1024;

/** How many turns of sockets that bound holds: on a slow link turns are shorter. */
const turnsInBound = 8;

/** A link that carries a whole bound in this time, in ms, deserves a larger one; the largest one in less. */
const growTime = 500;
const lastGrowTime = 200;

/** Some packets in order; the first has id `first`. */
export interface Run {
  first: number;
  packets: Packet[];
}

/** The sending half of a session: the packets that are not yet acknowledged. */
export class Outgoing {
  private queue: Packet[] = [];
  private first = 1; // id of queue[0], or of the next packet
  /** Of all packets in the queue; see packetCost. */
  cost = 0;
  /** Whether the end of the stream is queued or sent. */
  ended = false;

  private bound = firstBound;
  private starved = false; // there was no room for bytes that wait
  private roundStart = 0;
  private roundAcked = 0;

  /** Highest id given to a packet. */
  get last(): number {
    return this.first + this.queue.length - 1;
  }

  /** All packets up to this id have been acknowledged. */
  get acked(): number {
    return this.first - 1;
  }

  /** Bytes that may be pushed now. Reading 0 is remembered: someone waits for room. */
  room(): number {
    const room = Math.max(0, this.bound - this.cost);
    if (room === 0) this.starved = true;
    return room;
  }

  /** Bytes that one of several sockets may send before it is the next one's turn; 0: there is no room now. */
  turn(): number {
    return this.room() && this.bound / turnsInBound;
  }

  /** Gives data the next id. */
  push(data: Bytes): void {
    this.append(data);
  }

  /** Ends the stream. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.append(null);
  }

  /**
   * Packets from id `from` on, or from the first unacknowledged one if that is
   * higher: at least one if there is any, then as many as fit.
   */
  packets(from: number, maxBytes: number, maxCount: number): Run {
    const start = Math.max(from, this.first);
    const run: Run = { first: start, packets: [] };
    let bytes = 0;
    for (let i = start - this.first; i < this.queue.length && run.packets.length < maxCount; i++) {
      const packet = this.queue[i];
      bytes += packet ? packet.length : 0;
      if (bytes > maxBytes && run.packets.length > 0) break;
      run.packets.push(packet);
    }
    return run;
  }

  /** Drops all packets up to id. Throws if the proxy acknowledges what it can not have. */
  acknowledge(id: number, now: number): void {
    if (id > this.last) throw new WireError(`acknowledgement of packet ${id}, which was never sent`);
    if (id < this.first) return;
    const acked = this.queue.splice(0, id - this.first + 1);
    this.first = id + 1;
    for (const packet of acked) {
      this.cost -= packetCost(packet);
      this.roundAcked += packetCost(packet);
    }
    this.adapt(now);
  }

  /** A link broke: the next one has to earn a larger bound again. */
  linkLost(): void {
    this.bound = firstBound;
    this.roundAcked = 0;
  }

  private append(packet: Packet): void {
    this.queue.push(packet);
    this.cost += packetCost(packet);
  }

  /** Doubles the bound when it is what limits a fast link; goes back when the link is slow. */
  private adapt(now: number): void {
    if (this.roundAcked < this.bound) return;
    const took = now - this.roundStart;
    if (took > 4 * growTime) this.bound = firstBound;
    else if (this.starved && took < (this.bound * 2 < largestBound ? growTime : lastGrowTime)) this.bound = Math.min(this.bound * 2, largestBound);
    this.roundStart = now;
    this.roundAcked = 0;
    this.starved = false;
  }
}
