import type { Bytes } from "./bytes.ts";
import { WireError } from "./cause.ts";
import { encodeRecords } from "./encoding.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Link, LinkEnd, LinkEvents, Transport } from "./link.ts";
import type { CloseRecord, SessionRecord } from "./packet.ts";
import type { Platform } from "./platform.ts";
import type { Session } from "./session.ts";
import { refusedBy } from "./transports/refusal.ts";

/** Whose links these are. */
export interface AttachmentOwner {
  /** The records of the attachment's next request; null: it must end, or early, not yet. */
  compose(att: Attachment, packetBytes: number, early: boolean): SessionRecord[] | null;
  /** An answer begins. again: the next request goes out as soon as it was taken. */
  answerBegan(att: Attachment, again: boolean): void;
  /** The proxy has answered: the attachment can carry the session. */
  welcomed(att: Attachment): void;
  /** All records of a message or a piece of an answer have been taken. */
  heard(att: Attachment, bytes: number): void;
  packetReceived(att: Attachment, id: number, bytes: number): void;
  acknowledged(att: Attachment, id: number): void;
  ping(att: Attachment): void;
  pong(att: Attachment): void;
  /** The session is over. */
  closed(close: CloseRecord): void;
  /** The session must end: something arrived that is not in the protocol. */
  broken(why: string): void;
  ended(att: Attachment, end: LinkEnd): void;
}

/** A link that carries, or shall carry, a session: what was said on it so far. */
export class Attachment implements LinkEvents {
  /** What the last request began with. */
  opening: "nothing" | "new" | "resume" = "nothing";
  /** Whether that went before it was open. */
  early = false;
  /** Whether an answer has begun. */
  opened = false;
  welcomed = false;
  welcomedAt = 0;
  /** Whether any packet has arrived. */
  useful = false;
  lastHeard: number;
  /** On a duplex link: id of the next packet to send, 0 before the first. */
  nextUp = 0;
  /** Whether it is dead because a probe that reached the proxy was not answered. */
  unanswered = false;

  private nextDown = 0; // id of the next packet to arrive; 0: SEQ must come first
  private gone = false;
  private readonly link: Link;

  constructor(
    readonly transport: Transport,
    endpoint: Endpoint,
    private readonly platform: Platform,
    private readonly session: Session,
    private readonly owner: AttachmentOwner,
  ) {
    this.startedAt = this.lastHeard = platform.clock.now();
    this.link = transport.open(endpoint, platform, this);
  }

  readonly startedAt: number;

  /** Sends records on a duplex link. last: the session is over then. */
  send(records: SessionRecord[], last = false): void {
    if (!this.gone) this.link.send?.(encodeRecords(records), last);
  }

  get buffer(): number {
    return this.link.buffered?.() ?? 0;
  }

  /** Drops the link; nothing more is heard of it. */
  close(): void {
    this.gone = true;
    this.link.close();
  }

  /** Drops the link and tells the owner, as if the network had done it. */
  cut(reason: string): void {
    if (this.gone) return;
    this.close();
    this.owner.ended(this, { kind: "cut", reason });
  }

  compose(packetBytes: number, early = false): Bytes | null {
    if (this.gone) return null;
    const records = this.owner.compose(this, packetBytes, early);
    if (!records) return null;
    this.opening = records[0].type === "NEW" ? "new" : "resume";
    this.early = early;
    return encodeRecords(records);
  }

  began(again = false): void {
    this.opened = true;
    this.nextDown = 0;
    if (!this.gone) this.owner.answerBegan(this, again);
  }

  records(records: SessionRecord[]): void {
    let bytes = 0;
    try {
      for (const r of records) {
        if (this.gone) return;
        if (r.type === "DATA") bytes += r.data.length;
        this.take(r);
      }
    } catch (e) {
      if (!(e instanceof WireError)) throw e;
      this.owner.broken(e.message);
      return;
    }
    if (this.gone) return;
    this.owner.heard(this, bytes);
    this.lastHeard = this.platform.clock.now();
  }

  ended(end: LinkEnd): void {
    if (this.gone) return;
    this.gone = true;
    this.owner.ended(this, end);
  }

  private take(r: SessionRecord): void {
    if (!this.welcomed && r.type !== "NOP") {
      this.first(r);
      return;
    }
    switch (r.type) {
      case "SEQ":
        this.nextDown = r.id;
        break;
      case "DATA":
        this.packet(r.data);
        break;
      case "END":
        this.packet(null);
        break;
      case "ACK":
        this.session.outgoing.acknowledge(r.id, this.platform.clock.now());
        this.owner.acknowledged(this, r.id);
        break;
      case "PING":
        this.owner.ping(this);
        break;
      case "PONG":
        this.owner.pong(this);
        break;
      case "CLOSE":
        this.owner.closed(r);
        break;
      case "WELCOME": // an answer to a NEW that was repeated
        if (!this.session.welcome(r, this.platform.clock.now())) throw new WireError("another session");
        break;
      case "NOP":
        break;
      default:
        throw new WireError(`${r.type} from the proxy`);
    }
  }

  /** The first record says whether this link may carry the session. */
  private first(r: SessionRecord): void {
    const now = this.platform.clock.now();
    if (r.type === "CLOSE") {
      this.close();
      this.owner.ended(this, refusedBy(r));
      return;
    }
    if (r.type === "WELCOME" && this.opening === "new") {
      if (!this.session.welcome(r, now)) {
        // The proxy made a second session, for a NEW that came very late. End it.
        this.send([{ type: "CLOSE", cause: 0, retry: 0, text: "" }]);
        this.close();
        this.owner.ended(this, { kind: "retired", reason: "too late" });
        return;
      }
    } else if (r.type === "ACK" && this.opening === "resume") {
      this.session.outgoing.acknowledge(r.id, now);
    } else {
      this.close();
      this.owner.ended(this, { kind: "cut", reason: `not an answer of the proxy (${r.type} first)` });
      return;
    }
    this.welcomed = true;
    this.welcomedAt = now;
    this.owner.welcomed(this);
  }

  private packet(data: Bytes | null): void {
    const id = this.nextDown;
    if (id === 0) throw new WireError("packet without an id");
    this.nextDown = id + 1;
    const fresh = id === this.session.received + 1;
    this.owner.packetReceived(this, id, data ? data.length : 0);
    this.session.accept(id, data);
    if (fresh) this.useful = true;
  }
}

