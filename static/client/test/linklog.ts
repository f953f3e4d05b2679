import assert from "node:assert/strict";
import { encodeRecords } from "../src/encoding.ts";
import { Endpoint } from "../src/endpoint.ts";
import type { Link, LinkEnd, LinkEvents } from "../src/link.ts";
import type { SessionRecord } from "../src/packet.ts";
import type { Platform } from "../src/platform.ts";
import { transports } from "../src/transports/index.ts";
import { VirtualClock } from "./clock.ts";
import { named } from "./rider.ts";

export class Log implements LinkEvents {
  composed: number[] = [];
  began_ = 0;
  got: SessionRecord[] = [];
  end: LinkEnd | null = null;
  /** null makes the link retire. */
  opening: SessionRecord[] | null = [{ type: "RESUME", session: "n1.x", ack: 7 }];

  /** Whether the first message may go before the link is open. */
  early = false;

  compose(packetBytes: number, early = false): Uint8Array<ArrayBuffer> | null {
    if (early && !this.early) return null;
    this.composed.push(packetBytes);
    return this.opening && encodeRecords(this.opening);
  }

  began(): void {
    this.began_++;
  }

  records(records: SessionRecord[]): void {
    this.got.push(...records);
  }

  ended(end: LinkEnd): void {
    assert.equal(this.end, null, "ended twice");
    this.end = end;
  }

  get types(): string {
    return this.got.map((r) => r.type).join();
  }
}

export const opening = Buffer.from(encodeRecords([{ type: "RESUME", session: "n1.x", ack: 7 }]));
export const batch = '[["ack",3],[1,0,"hello"],[2,1,"_w"],[3,0,null],["ping"]]';
export const batchTypes = "ACK,SEQ,DATA,DATA,END,PING";

export interface Run {
  log: Log;
  link: Link;
  clock: VirtualClock;
}

export async function start(name: (typeof transports)[number]["name"], extra: object, early = false): Promise<Run> {
  const clock = new VirtualClock();
  const [t] = named(name);
  const platform = { clock, streamingFetch: false, ...extra } as Platform;
  assert.equal(t.missing(platform), "");
  const log = new Log();
  log.early = early;
  const link = t.open(new Endpoint("http://p.test/"), platform, log);
  assert.deepEqual(log.composed, [], "no events before open returns");
  await clock.pass(0);
  return { log, link, clock };
}
