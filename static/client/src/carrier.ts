import { Attachment, type AttachmentOwner } from "./attachment.ts";
import type { Bytes } from "./bytes.ts";
import { type Cause, cause, causeFromWire, causeNumber } from "./cause.ts";
import type { Chooser } from "./chooser.ts";
import { Timer } from "./clock.ts";
import { Connector } from "./connector.ts";
import { whetherOriginIsRefused, whyNeverBegan } from "./diagnose.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Attempt } from "./error.ts";
import type { LinkEnd, Transport, TransportName } from "./link.ts";
import type { CloseRecord, SessionRecord } from "./packet.ts";
import type { Platform } from "./platform.ts";
import { Reasons } from "./reasons.ts";
import { Sender } from "./sender.ts";
import type { Session } from "./session.ts";
import type { LinkDetail, LinkState } from "./state.ts";
import { Watch } from "./watch.ts";

/** Half of how long an acknowledgement may wait, in ms: a second, and something for the way. */
const halfAckDelay = 450;

/** What a carrier works with. */
export interface CarrierParts {
  session: Session;
  chooser: Chooser;
  endpoint: Endpoint;
  platform: Platform;
  /** The transports that can not work here. */
  missing: readonly Attempt[];
  /** The next bytes for the proxy, about max; turn: bytes of one socket's turn, 0: only control frames. */
  pull(max: number, turn: number): Bytes | null;
}

/** What a carrier tells the session's owner. */
export interface CarrierEvents {
  /** transport: what carries the downlink now, if anything does. */
  state(state: LinkState, transport: TransportName | null): void;
  /** The session is over; called once. */
  over(why: Cause, attempts?: Attempt[]): void;
  /** Something for the page's diagnostics; null when nobody listens. */
  readonly detail: ((d: LinkDetail) => void) | null;
}

/**
 * Keeps a session on a link. It has at most one current downlink; a new one takes
 * over when its first record arrives, and only then is the old one dropped.
 */
export class Carrier implements AttachmentOwner {
  private current: Attachment | null = null;
  private state: LinkState = "connecting";
  private early = true; // nothing on the way is known to mind what a request says early
  private readonly connector: Connector;
  private readonly sender: Sender;
  private readonly watch: Watch;
  private readonly reasons: Reasons;
  private readonly ackTimer: Timer;
  private ackSet = 0; // when it was set, by the clock
  private readonly session: Session;

  constructor(
    private readonly parts: CarrierParts,
    private readonly events: CarrierEvents,
  ) {
    const { session, endpoint, platform, pull } = parts;
    const { clock } = platform;
    this.session = session;
    this.reasons = new Reasons(parts.missing);
    this.connector = new Connector(clock, parts.chooser, this.reasons, {
      attach: (t) => this.attach(t),
      resumable: () => (session.id ? session.window : 0),
      gaveUp: () => this.gaveUp(),
      nothingWorks: (hopeless) => whetherOriginIsRefused(platform, endpoint.base, hopeless),
    });
    this.watch = new Watch({ ...parts, ping: () => this.sender.control({ type: "PING" }) });
    this.sender = new Sender(session, endpoint, platform, pull, {
      sent: () => this.watch.sent(),
      answered: (packets) => this.watch.answered(packets),
      closed: (close) => this.closed(close),
      broken: (why) => this.broken(why),
      trouble: (end) => this.current?.cut(`requests to the proxy fail (${end.reason})`),
      detail: (d) => this.events.detail?.({ ...d, transport: this.current?.transport.name ?? null }),
      listening: () => this.events.detail !== null,
    });
    this.ackTimer = new Timer(clock, () => this.acknowledgeLate());
  }

  start(): void {
    this.connector.begin();
  }

  /** There is something to send. */
  wake(): void {
    this.sender.pump();
  }

  /** Something happened to the network or to the page: find out whether the link lives. */
  suspect(): void {
    if (this.over) return;
    if (this.current) this.watch.suspect();
    else this.connector.hurry();
  }

  /** Drops all links as a failure of the network would. */
  cut(): void {
    const att = this.current;
    if (!att) {
      for (const c of [...this.connector.candidates]) c.cut("cut by the page");
      return;
    }
    this.connector.dropAll();
    att.close();
    this.lose(att, { kind: "cut", reason: "cut by the page" }, true);
  }

  /** Ends the session and tells the proxy. leaving: the page is about to be gone. */
  close(leaving = false): void {
    if (this.over) return;
    if (leaving) this.sender.lastWords();
    else this.sender.goodbye();
    this.end(cause("closed"));
  }

  // What attachments say.

  compose(att: Attachment, packetBytes: number, early: boolean): SessionRecord[] | null {
    if (this.over) return null;
    // What may not get through must not displace it.
    if (early && (this.current || !this.early)) return null;
    if (this.session.ackDue !== "none") {
      this.events.detail?.({ kind: "ack-sent", transport: att.transport.name, id: this.session.received });
    }
    if (att === this.current) {
      // While a new link attaches, the old one must not displace it.
      for (const c of this.connector.candidates) if (c.opening !== "nothing") return null;
      return [this.session.opening(), ...this.sender.alongPoll(packetBytes)];
    }
    if (!this.connector.candidates.has(att)) return null;
    const first = this.session.opening();
    const records = [first];
    if (!this.current) records.push(...this.sender.behindOpening(att, packetBytes));
    // A poll is answered at once only if there is something to answer.
    if (att.transport.kind === "poll" && first.type === "RESUME") records.push({ type: "PING" });
    return records;
  }

  answerBegan(att: Attachment, again: boolean): void {
    if (att === this.current && att.transport.kind === "poll") this.sender.pollAnswered(again);
    // What did not fit into the request for a WebSocket goes now.
    else if (att.transport.kind === "duplex" && att.opening !== "nothing") this.sender.pump();
  }

  welcomed(att: Attachment): void {
    const old = this.current;
    const resumed = att.opening === "resume";
    this.current = att;
    this.parts.endpoint.node = this.session.node;
    this.connector.welcomed(att);
    this.sender.hold(false);
    old?.close();
    this.events.detail?.({ kind: resumed ? "resume" : "attach", transport: att.transport.name });
    this.watch.start(att);
    this.sender.use(att);
    this.setState("online");
  }

  heard(att: Attachment, bytes: number): void {
    if (att !== this.current) return;
    this.watch.heard();
    if (this.session.ended) this.session.outgoing.end();
    if (this.session.over) {
      this.end(cause("closed"));
      return;
    }
    // A poll acknowledges when it asks again.
    if (bytes > 0 && att.transport.kind !== "poll") this.acknowledgeInTime();
    this.sender.pump();
  }

  packetReceived(att: Attachment, id: number, bytes: number): void {
    this.events.detail?.({ kind: "packet-received", transport: att.transport.name, id, bytes });
  }

  acknowledged(att: Attachment, id: number): void {
    this.events.detail?.({ kind: "ack-received", transport: att.transport.name, id });
  }

  ping(att: Attachment): void {
    if (att === this.current) this.sender.control({ type: "PONG" });
  }

  pong(att: Attachment): void {
    if (att === this.current) this.watch.pong();
  }

  closed(close: CloseRecord): void {
    this.end({ code: causeFromWire(close.cause), text: close.text, retry: close.retry });
  }

  broken(why: string): void {
    this.sender.goodbye({ type: "CLOSE", cause: causeNumber("protocol-error"), retry: 0, text: why });
    this.end(cause("protocol-error", why));
  }

  ended(att: Attachment, end: LinkEnd): void {
    if (this.over) return;
    if (att === this.current) {
      this.lose(att, end, false);
      return;
    }
    this.sender.forget(att);
    this.sender.hold(false);
    if (att.early && !att.opened) this.early = false;
    // A CLOSE in answer to RESUME is final, unless the session is well on another link.
    if (end.close && att.opening === "resume" && !this.current) {
      this.closed(end.close);
      return;
    }
    this.connector.ended(att, end);
    if (!this.current && !this.over) this.search();
  }

  // The link's life.

  private attach(t: Transport): Attachment {
    // At most two requests at a time: a new downlink takes the uplink's place for a moment.
    if (this.current && t.kind !== "duplex") this.sender.hold(true);
    return new Attachment(t, this.parts.endpoint, this.parts.platform, this.session, this);
  }

  /** The current link is gone. wanted: the page did it, and the network is not to blame. */
  private lose(att: Attachment, end: LinkEnd, wanted: boolean): void {
    this.current = null;
    this.ackTimer.stop();
    this.sender.pause();
    this.session.outgoing.linkLost();
    this.events.detail?.({ kind: "cut", transport: att.transport.name });
    this.connector.lost(this.watch.lost(att, end, wanted));
    // A candidate that has said RESUME may be what displaced this link.
    if (![...this.connector.candidates].some((c) => c.opening !== "nothing")) this.search();
  }

  private search(): void {
    if (this.state === "online") this.setState("reconnecting");
    this.connector.begin();
  }

  private acknowledgeInTime(): void {
    switch (this.session.ackDue) {
      case "now":
        this.ackTimer.stop();
        this.sender.acknowledge();
        break;
      case "soon":
      case "along":
        if (!this.ackTimer.running) this.acknowledgeLater();
        break;
    }
  }

  private acknowledgeLater(): void {
    this.ackSet = this.parts.platform.clock.now();
    this.ackTimer.set(halfAckDelay);
  }

  /**
   * Most often something is sent in the second half that takes the acknowledgement along.
   * There is no second half where the browser lets timers of hidden pages wait.
   */
  private acknowledgeLate(): void {
    const late = this.parts.platform.clock.now() - this.ackSet >= 2 * halfAckDelay;
    if (this.session.ripen() || late) this.sender.acknowledge();
    else if (this.session.ackDue !== "none") this.acknowledgeLater();
  }

  private gaveUp(): void {
    if (this.session.id) {
      this.end(cause("session-lost", `no link to the proxy for ${this.session.window} s`), this.reasons.attempts());
      return;
    }
    this.end(whyNeverBegan(this.parts.endpoint.base, this.reasons), this.reasons.attempts());
  }

  private get over(): boolean {
    return this.state === "closed";
  }

  private setState(state: LinkState): void {
    if (this.over) return;
    this.state = state;
    this.events.state(state, this.current?.transport.name ?? null);
  }

  private end(why: Cause, attempts?: Attempt[]): void {
    if (this.over) return;
    this.connector.stop();
    this.watch.stop();
    this.ackTimer.stop();
    this.sender.pause();
    this.current?.close();
    this.current = null;
    this.setState("closed");
    this.events.over(why, attempts);
  }
}
