import type { Bytes } from "./bytes.ts";
import { WireError } from "./cause.ts";
import { Outgoing } from "./outgoing.ts";
import { type Packet, packetCost, protocolVersion, type SessionRecord } from "./packet.ts";

/** What arrived before it is acknowledged, in cost. */
const ackBytes = 64 * 1024;

/** Who gets what a session receives. */
export interface SessionSink {
  /** The next bytes of the stream, each byte once and in order. A WireError ends the session. */
  received(data: Bytes): void;
}

/**
 * The client's half of a session: two numbered streams of packets that outlive
 * the links that carry them. It does no I/O and knows no time but what it is told.
 *
 * Records for a link come from opening, ack and outgoing.packets; what a link
 * brings goes to welcome, accept and outgoing.acknowledge. A WireError from any
 * of them means that the session must end with protocol-error.
 */
export class Session {
  /** The credential; empty until the proxy has answered NEW. */
  id = "";
  /** How long a session without a downlink can be resumed, in seconds. */
  window = 120;
  /** How long the proxy lets a link be silent, in seconds. */
  heartbeat = 25;
  readonly outgoing = new Outgoing();

  /** Highest id received in order. */
  received = 0;
  /** Whether the proxy has ended its stream. */
  ended = false;
  private owed = 0; // cost that arrived since the proxy was told `received`
  private ripe = false; // half the time of telling it is over

  constructor(
    private readonly key: Bytes,
    private readonly sink: SessionSink,
  ) {}

  /** The public part of the id, which balancers route on; empty until it is known. */
  get node(): string {
    const dot = this.id.indexOf(".");
    return dot > 0 ? this.id.slice(0, dot) : "";
  }

  /** The first record of a link. It acknowledges what was received. */
  opening(): SessionRecord {
    if (this.id === "") return { type: "NEW", version: protocolVersion, key: this.key };
    this.told();
    return { type: "RESUME", session: this.id, ack: this.received };
  }

  /** Takes the answer to NEW; false when it names another session than the one we have. */
  welcome(r: { session: string; ack: number; window: number; heartbeat: number }, now: number): boolean {
    if (this.id !== "" && this.id !== r.session) return false;
    this.id = r.session;
    this.window = r.window;
    if (r.heartbeat > 0) this.heartbeat = r.heartbeat;
    this.outgoing.acknowledge(r.ack, now);
    return true;
  }

  /** Takes packet id: delivers it, or drops it when it has been delivered before. */
  accept(id: number, packet: Packet): void {
    this.owed += packetCost(packet);
    if (this.ended || id <= this.received) return;
    if (id !== this.received + 1) throw new WireError(`packet ${id} arrived, but packet ${this.received + 1} is missing`);
    this.received = id;
    if (packet === null) this.ended = true;
    else if (packet.length > 0) this.sink.received(packet);
  }

  /** Whether what arrived must be acknowledged: not at all, within a second, with whatever is sent, at once. */
  get ackDue(): "none" | "soon" | "along" | "now" {
    if (this.owed === 0) return "none";
    if (this.owed >= ackBytes) return "now";
    return this.ripe || this.owed >= ackBytes / 2 ? "along" : "soon";
  }

  /** Half of that second is over. Returns whether it is all over. */
  ripen(): boolean {
    const over = this.ripe;
    this.ripe = this.owed > 0;
    return over;
  }

  /** The acknowledgement to send now. */
  ack(): SessionRecord {
    this.told();
    return { type: "ACK", id: this.received };
  }

  private told(): void {
    this.owed = 0;
    this.ripe = false;
  }

  /** Whether both streams have ended and the proxy has everything. */
  get over(): boolean {
    return this.ended && this.outgoing.ended && this.outgoing.cost === 0;
  }
}
