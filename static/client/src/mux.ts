import { type Bytes, ByteWriter } from "./bytes.ts";
import { type Cause, type CauseName, causeFromWire, causeNumber, WireError } from "./cause.ts";
import { appendFrame, dataHead, type Frame, FrameParser } from "./frame.ts";
import { Socket, type SocketEvents, type Target } from "./socket.ts";

/** Who has no more bytes than this to send waits for nobody's turn. */
const little = 4096;

/** Strange frames after which the proxy is not worth talking to. */
const strangeLimit = 100;

/** A notice that the session takes no new sockets. */
export interface GoAway {
  code: CauseName;
  /** Seconds to stay away; 0: not said. */
  retry: number;
}

/** What a mux tells the session's owner. */
export interface MuxEvents {
  /** There is something to pull. Called at most once until the next pull. */
  ready(): void;
  /** The last socket is over. */
  empty(): void;
  goAway(notice: GoAway): void;
}

/** Many sockets over one ordered stream each way. It does no I/O. */
export class Mux {
  private readonly sockets = new Map<number, Socket>();
  private readonly control = new Set<Socket>(); // with frames that do not wait for turns
  private readonly ring = new Set<Socket>(); // with bytes to send, in the order of their turns
  private readonly parser = new FrameParser();
  private strays: number[] = []; // unknown sockets to be answered with RESET
  private strange = 0;
  private lastNumber = 0;
  private announced = false;

  constructor(private readonly events: MuxEvents) {}

  get size(): number {
    return this.sockets.size;
  }

  /** Begins to open a socket. */
  open(target: Target, events: SocketEvents): Socket {
    const socket = new Socket(++this.lastNumber, target, events, {
      urgent: (s) => {
        this.control.add(s);
        this.announce();
      },
      ready: (s) => {
        this.ring.add(s);
        this.announce();
      },
      forget: (s) => this.forget(s),
    });
    this.sockets.set(socket.number, socket);
    return socket;
  }

  /** Takes the next bytes of the stream from the proxy. Throws WireError if they break the protocol. */
  receive(data: Bytes): void {
    this.parser.feed(data, (f) => this.receiveFrame(f));
  }

  /**
   * The next bytes of the stream to the proxy, or null when there are none:
   * control frames, then up to about max bytes of DATA, the sockets sending turn bytes
   * each in turn, who has little to say first. Turn 0: no DATA.
   */
  pull(max: number, turn: number): Bytes | null {
    this.announced = false;
    const out = new ByteWriter(this.estimate(max, turn > 0));
    for (const number of this.strays.splice(0)) {
      appendFrame(out, { type: "RESET", socket: number, cause: causeNumber("protocol-error"), text: "unknown socket" });
    }
    for (const s of this.control) {
      this.control.delete(s);
      s.takeUrgent(out);
      if (out.length >= max) break;
    }
    if (turn > 0) {
      this.takeLittle(out, max);
      this.takeTurns(out, max, turn);
    }
    return out.length > 0 ? out.finish() : null;
  }

  /** Half of max is left to the others. */
  private takeLittle(out: ByteWriter, max: number): void {
    for (const s of this.ring) {
      if (s.queued <= little && out.length + dataHead < max / 2) {
        s.used = 0;
        this.ring.delete(s);
        if (s.takeData(out, max - out.length)) this.ring.add(s);
      }
    }
  }

  private takeTurns(out: ByteWriter, max: number, turn: number): void {
    while (this.ring.size > 0 && out.length + dataHead < max) {
      const [s] = this.ring;
      const start = out.length - s.used;
      const more = s.takeData(out, Math.min(start + turn, max) - out.length);
      s.used = out.length - start;
      if (more && s.used + dataHead < turn) continue;
      s.used = 0;
      this.ring.delete(s);
      if (more) this.ring.add(s);
    }
  }

  /** Ends all sockets. */
  fail(why: Cause): void {
    for (const s of [...this.sockets.values()]) s.finish(why);
  }

  /** About how many bytes pull will find. */
  private estimate(max: number, data: boolean): number {
    let size = 64 * (1 + this.control.size);
    for (const s of data ? this.ring : []) {
      if (size >= max) break;
      size += s.queued + dataHead;
    }
    return Math.min(size, max + 64);
  }

  private announce(): void {
    if (this.announced) return;
    this.announced = true;
    this.events.ready();
  }

  private forget(s: Socket): void {
    this.ring.delete(s);
    if (this.sockets.delete(s.number) && this.sockets.size === 0) this.events.empty();
  }

  private receiveFrame(f: Frame): void {
    if (f.type === "GOAWAY") {
      this.events.goAway({ code: causeFromWire(f.cause), retry: f.retry });
      return;
    }
    const socket = this.sockets.get(f.socket);
    if (socket) {
      socket.receive(f);
      return;
    }
    // A number used before crossed the socket's end on the way. A RESET is never answered.
    if (f.socket > 0 && (f.socket <= this.lastNumber || f.type === "RESET")) return;
    if (++this.strange > strangeLimit) throw new WireError("too many frames for unknown sockets");
    this.strays.push(f.socket);
    this.announce();
  }
}
