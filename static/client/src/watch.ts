import type { Attachment } from "./attachment.ts";
import type { Chooser } from "./chooser.ts";
import type { Endpoint } from "./endpoint.ts";
import { Hold } from "./hold.ts";
import type { LinkEnd, Transport } from "./link.ts";
import { Liveness } from "./liveness.ts";
import type { Platform } from "./platform.ts";
import type { Session } from "./session.ts";

/** A link that lived this long, in ms, was good whatever it brought. */
const goodLife = 5000;

/** What a watch works with. */
export interface WatchParts {
  session: Session;
  chooser: Chooser;
  endpoint: Endpoint;
  platform: Platform;
  /** Sends a PING. */
  ping(): void;
}

/**
 * Watches the current link: lets it be probed, cuts it when it is dead, and draws
 * the conclusions of its end for the choice of the next one.
 */
export class Watch {
  private att: Attachment | null = null;
  private readonly liveness: Liveness;
  private readonly hold = new Hold();
  private readonly proven = new Set<Transport>(); // those that have answered a probe
  private probeArrived = false; // the proxy has got the probe that is out

  constructor(private readonly parts: WatchParts) {
    this.liveness = new Liveness(parts.platform.clock, {
      probe: () => {
        this.probeArrived = false;
        parts.ping();
      },
      keepAlive: () => parts.ping(),
      inFlight: () => parts.session.outgoing.cost,
      dead: (reason) => this.dead(reason),
    });
  }

  /** att is the current link. */
  start(att: Attachment): void {
    this.att = att;
    this.probeArrived = false;
    const { session, endpoint } = this.parts;
    const { kind, mostHold = Infinity } = att.transport;
    endpoint.hold = this.hold.seconds;
    const silence = Math.min(this.hold.seconds, kind === "duplex" ? session.heartbeat : mostHold);
    const keepsAlive = kind === "duplex" && this.hold.seconds < session.heartbeat;
    this.liveness.start(silence, keepsAlive, kind === "poll" || this.proven.has(att.transport));
  }

  stop(): void {
    this.att = null;
    this.liveness.stop();
  }

  suspect(): void {
    this.liveness.suspect();
  }

  /** Something arrived on the current link. */
  heard(): void {
    const att = this.att!;
    this.hold.kept(this.parts.platform.clock.now() - att.lastHeard);
    this.liveness.heard(att.transport.kind === "duplex" && this.parts.session.outgoing.cost > 0);
  }

  pong(): void {
    if (this.att) this.proven.add(this.att.transport);
  }

  /** Packets went out on the link itself, which acknowledges them. */
  sent(): void {
    this.liveness.expect();
  }

  /** A request was answered; packets: it carried some. */
  answered(packets: boolean): void {
    if (this.liveness.probing) this.probeArrived = true;
    if (packets) this.liveness.expect();
  }

  /** The link is gone. wanted: by the page, and nobody else is to blame. */
  lost(att: Attachment, end: LinkEnd, wanted: boolean): "good" | "bad" | "displaced" {
    this.stop();
    if (end.kind === "displaced" || end.kind === "retired") return "displaced";
    if (wanted) return "good";
    const now = this.parts.platform.clock.now();
    const livedMs = now - att.welcomedAt;
    this.hold.cut(now - att.lastHeard);
    this.parts.endpoint.hold = this.hold.seconds;
    const { transport, unanswered } = att;
    const unproven = unanswered && !this.proven.has(transport);
    this.parts.chooser.lost(transport, {
      livedMs,
      mute: unproven && transport.kind === "duplex",
      buffered: unproven && transport.kind === "stream",
    });
    if (unanswered) this.proven.delete(transport);
    return att.useful || livedMs > goodLife ? "good" : "bad";
  }

  private dead(reason: string): void {
    const att = this.att;
    if (!att) return;
    att.unanswered = this.liveness.probing && (att.transport.kind === "duplex" || this.probeArrived);
    att.cut(reason);
  }
}
