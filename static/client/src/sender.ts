import type { Attachment } from "./attachment.ts";
import type { Bytes } from "./bytes.ts";
import { WireError } from "./cause.ts";
import { Timer } from "./clock.ts";
import { encodeRecords } from "./encoding.ts";
import type { Endpoint } from "./endpoint.ts";
import type { LinkEnd } from "./link.ts";
import type { Run } from "./outgoing.ts";
import { type CloseRecord, maxPacket, type SessionRecord } from "./packet.ts";
import type { Platform } from "./platform.ts";
import type { Session } from "./session.ts";
import type { LinkDetail } from "./state.ts";
import { beacon, farewell } from "./transports/farewell.ts";
import { scriptPackets } from "./transports/jsonp.ts";
import { closeIn } from "./transports/refusal.ts";
import { type UplinkWay, uplinkWay } from "./transports/uplink.ts";
import { Uplink } from "./uplink.ts";

/** A WebSocket that has this many bytes unsent gets no more for the moment. */
const enoughBuffered = 1024 * 1024;
/** How long the moment is, in ms. */
const moment = 50;

/** What a poll takes along: so little that it does not matter if a request repeats it. */
const fewBytes = 2048;

/** What a page that leaves takes along; browsers let 64 KiB outlive it. */
const beaconBytes = 48 * 1024;

/** Most packets of one request; the proxy takes 1000. */
const maxPackets = 900;

/** What a sender tells its owner. */
export interface SenderEvents {
  /** Packets went out on the current link, which acknowledges them. */
  sent(): void;
  /** A request was answered; packets: it carried some. */
  answered(packets: boolean): void;
  closed(close: CloseRecord): void;
  broken(why: string): void;
  /** Requests do not get through. */
  trouble(end: LinkEnd): void;
  detail(d: Omit<LinkDetail, "transport">): void;
  listening(): boolean;
}

/**
 * Sends what the session has to say: on a duplex link as it comes, else in
 * requests of their own. Bytes become packets only when the way is free for them,
 * so that a small frame is never behind more than one request of bulk.
 */
export class Sender {
  private link: Attachment | null = null; // the current duplex link, or one that is opening
  private readonly uplink: Uplink;
  private controls: SessionRecord[] = []; // PING and PONG for the next request
  private controlsSent = 0; // how many of them are in the request in flight
  private ackedBefore = 0; // what was acknowledged when the request left
  private ackWanted = false;
  private held = false;
  private requestHadPackets = false;
  private pollNext = false; // a poll is about to go out and takes along what there is
  private polled = 0; // id of the last packet that went out with the running poll
  private sent = 0; // highest id that has gone out
  private packetLimit = scriptPackets; // until it is known that the way takes more
  private readonly drain: Timer;

  constructor(
    private readonly session: Session,
    private readonly endpoint: Endpoint,
    private readonly platform: Platform,
    private readonly pull: (max: number, turn: number) => Bytes | null,
    private readonly events: SenderEvents,
  ) {
    this.drain = new Timer(platform.clock, () => this.pump());
    this.uplink = new Uplink(platform.clock, {
      uplinkRecords: (way) => this.requestRecords(way),
      uplinkAnswered: (records) => this.requestAnswered(records),
      uplinkTrouble: (end) => this.requestTrouble(end),
    });
  }

  /** The packets that go right behind NEW or RESUME. */
  behindOpening(att: Attachment, packetBytes: number): SessionRecord[] {
    if (packetBytes === 0) return [];
    const run = this.gather(0, packetBytes);
    if ((run.packets[0]?.length ?? 0) > packetBytes) run.packets = []; // one that was made for more
    run.packets.splice(packetBytes / 16); // small ones have heads too
    const duplex = att.transport.kind === "duplex";
    if (duplex) {
      att.nextUp = run.packets.length > 0 ? run.first + run.packets.length : 0;
      this.link ??= att;
    }
    return this.packetRecords(run, true);
  }

  /** The current poll was answered. again: the next one goes out in a moment. */
  pollAnswered(again: boolean): void {
    this.polled = 0;
    this.pollNext = again;
  }

  /** The packets that go with the next poll of the current link: all there are, if they are few. */
  alongPoll(packetBytes: number): SessionRecord[] {
    this.pollNext = false;
    if (this.held) return [];
    const run = this.gather(0, Math.min(packetBytes, scriptPackets));
    let bytes = 0;
    for (const p of run.packets) bytes += p ? p.length : 0;
    if (bytes > fewBytes) {
      this.pump();
      return [];
    }
    if (run.packets.length === 0) return [];
    this.polled = run.first + run.packets.length - 1;
    this.events.sent();
    return this.packetRecords(run, true);
  }

  /** att is the current link. */
  use(att: Attachment): void {
    this.pollAnswered(false);
    this.controls = [];
    this.controlsSent = 0;
    if (att.transport.uplink === "link") {
      this.uplink.stop();
      this.packetLimit = maxPacket;
      this.link = att;
    } else {
      const way = uplinkWay(att.transport, this.endpoint, this.platform);
      this.packetLimit = way.packet;
      this.link = null;
      this.uplink.start(way);
    }
    this.pump();
  }

  /** There is no current link. What is in flight is forgotten and sent again later. */
  pause(): void {
    this.link = null;
    this.pollAnswered(false);
    this.drain.stop();
    this.uplink.stop();
  }

  /** att can not be used. */
  forget(att: Attachment): void {
    if (this.link === att) this.link = null;
  }

  /** Begins no new request while on. */
  hold(on: boolean): void {
    if (this.held === on) return;
    this.held = on;
    if (!on) this.pump();
  }

  /** Sends what there is to send, as far as the way takes it. */
  pump(): void {
    if (this.link) this.pumpLink(this.link);
    else if (!this.held) this.uplink.kick();
  }

  /** Sends a PING or PONG. */
  control(r: SessionRecord): void {
    if (this.link) {
      this.link.send([r]);
      return;
    }
    if (this.controls.length < 8) this.controls.push(r);
    this.pump();
  }

  /** Tells the proxy what has arrived. */
  acknowledge(): void {
    if (this.session.ackDue === "none") return;
    this.ackWanted = true;
    this.pump();
  }

  /** Tells the proxy that the session is over, without waiting for anything. */
  goodbye(close: CloseRecord = { type: "CLOSE", cause: 0, retry: 0, text: "" }): void {
    if (this.link && (this.link.welcomed || !this.session.id)) this.link.send([close], true);
    else if (this.session.id) farewell(this.platform, this.sendUrl, encodeRecords([this.session.opening(), close]));
  }

  /** The same when the page is about to be gone: takes along what the proxy may not have, as far as it fits. */
  lastWords(): void {
    const close: CloseRecord = { type: "CLOSE", cause: 0, retry: 0, text: "" };
    const run = this.gather(0, beaconBytes);
    if (run.packets.length > 0 && (run.packets[0]?.length ?? 0) > beaconBytes) run.packets = [];
    if (!this.session.id && run.packets.length === 0) return;
    const opening = this.session.opening();
    const sent = beacon(this.platform, this.sendUrl, encodeRecords([opening, ...this.packetRecords(run, true), close]));
    if (!sent && this.session.id) beacon(this.platform, this.sendUrl, encodeRecords([opening, close]));
  }

  private get sendUrl(): string {
    return this.endpoint.session("send");
  }

  private pumpLink(link: Attachment): void {
    for (;;) {
      if (link.buffer > enoughBuffered) {
        this.drain.set(moment);
        break;
      }
      const records: SessionRecord[] = [];
      const run = this.gather(link.nextUp, maxPacket);
      const due = this.session.ackDue;
      const along = due === "along" || due === "now";
      if (due !== "none" && (this.ackWanted || (along && run.packets.length > 0))) records.push(this.takeAck());
      if (run.packets.length > 0) {
        // An acknowledgement can have made us skip packets that this link has not carried.
        records.push(...this.packetRecords(run, run.first !== link.nextUp));
        link.nextUp = run.first + run.packets.length;
        this.events.sent();
      }
      this.ackWanted = false;
      if (records.length === 0) break;
      link.send(records);
    }
  }

  private requestRecords(way: UplinkWay): SessionRecord[] | null {
    if (this.pollNext) return null;
    const run = this.gather(0, way.limit);
    const ack = this.session.ackDue === "now" || this.ackWanted;
    const news = run.packets.length > 0 && run.first + run.packets.length - 1 > this.polled;
    if (!news && this.controls.length === 0 && !ack) return null;
    if (this.session.ackDue !== "none" && this.events.listening()) this.events.detail({ kind: "ack-sent", id: this.session.received });
    this.ackWanted = false;
    this.controlsSent = this.controls.length;
    this.ackedBefore = this.session.outgoing.acked;
    this.requestHadPackets = run.packets.length > 0;
    return [this.session.opening(), ...this.packetRecords(run, true), ...this.controls];
  }

  private requestAnswered(records: SessionRecord[]): boolean {
    const close = closeIn(records);
    if (close) {
      this.requestTrouble({ kind: "refused", reason: "closed", close });
      return false;
    }
    try {
      for (const r of records) {
        if (r.type !== "ACK") continue;
        this.session.outgoing.acknowledge(r.id, this.platform.clock.now());
        if (this.events.listening()) this.events.detail({ kind: "ack-received", id: r.id });
      }
    } catch (e) {
      if (!(e instanceof WireError)) throw e;
      this.events.broken(e.message);
      return false;
    }
    this.controls.splice(0, this.controlsSent);
    this.controlsSent = 0;
    this.events.answered(this.requestHadPackets);
    return !this.requestHadPackets || this.session.outgoing.acked > this.ackedBefore;
  }

  private requestTrouble(end: LinkEnd): void {
    if (end.close) this.events.closed(end.close);
    else this.events.trouble(end);
  }

  /** Packets from an id on, after turning waiting bytes into packets as far as there is room. */
  private gather(from: number, maxBytes: number): Run {
    const { outgoing } = this.session;
    const start = Math.max(from, outgoing.acked + 1);
    // What was lost may have been too much for the time that a slow line had.
    if (start <= this.sent && start > this.polled) maxBytes = Math.min(maxBytes, maxPacket);
    let run = outgoing.packets(from, maxBytes, maxPackets);
    let bytes = 0;
    for (const p of run.packets) bytes += p ? p.length : 0;
    // Unless the run stopped at a limit, its end is the end of what is queued.
    if (run.first + run.packets.length <= outgoing.last) return run;
    let grown = false;
    while (bytes < maxBytes) {
      const max = Math.min(this.packetLimit, maxBytes - bytes);
      const data = this.pull(max, outgoing.turn());
      if (!data) break;
      outgoing.push(data);
      bytes += data.length;
      grown = true;
    }
    if (grown) run = outgoing.packets(from, maxBytes, maxPackets);
    return run;
  }

  private packetRecords(run: Run, seq: boolean): SessionRecord[] {
    const records: SessionRecord[] = [];
    this.sent = Math.max(this.sent, run.first + run.packets.length - 1);
    run.packets.forEach((p, i) => {
      if (i === 0 && seq) records.push({ type: "SEQ", id: run.first });
      records.push(p ? { type: "DATA", data: p } : { type: "END" });
      if (this.events.listening()) this.events.detail({ kind: "packet-sent", id: run.first + i, bytes: p ? p.length : 0 });
    });
    return records;
  }

  private takeAck(): SessionRecord {
    if (this.events.listening()) this.events.detail({ kind: "ack-sent", id: this.session.received });
    return this.session.ack();
  }
}
