import { ByteWriter, type Bytes } from "../src/bytes.ts";
import { appendFrame, type Frame, FrameParser } from "../src/frame.ts";
import type { Packet, SessionRecord } from "../src/packet.ts";
import type { Clock } from "../src/clock.ts";

/** Where the records of an attached link go; end: it is displaced, or the session is over. */
export interface Downlink {
  send(records: SessionRecord[]): void;
  end(cause: number): void;
}

/** The proxy's half of a session, written from the protocol and not from the client's code. */
export class ProxySession {
  received = 0;
  repeats = 0; // packets that arrived again
  links = 0; // downlinks so far
  closed = -1; // cause of its end
  downlink: Downlink | null = null;
  private held = new Map<number, Packet>();
  private out: Packet[] = [];
  private first = 1;
  private sent = 0;

  constructor(
    private readonly clock: Clock,
    readonly id: string,
    private readonly app: { receive(data: Bytes): void },
  ) {}

  attach(ack: number, link: Downlink, first: SessionRecord): void {
    this.acked(ack);
    const old = this.downlink;
    this.downlink = link;
    this.links++;
    old?.end(15);
    const records: SessionRecord[] = [first];
    if (this.out.length > 0) records.push({ type: "SEQ", id: this.first }, ...this.out.map(asRecord));
    this.sent = this.first + this.out.length - 1;
    link.send(records);
    this.beat(link);
  }

  private beat(link: Downlink): void {
    this.clock.after(20_000, () => {
      if (this.downlink !== link) return;
      link.send([{ type: "NOP" }]);
      this.beat(link);
    });
  }

  detach(link: Downlink): void {
    if (this.downlink === link) this.downlink = null;
  }

  /** Takes records behind NEW or RESUME. */
  take(records: SessionRecord[], next: number, answer: (r: SessionRecord) => void): number {
    for (const r of records) {
      if (r.type === "SEQ") next = r.id;
      else if (r.type === "DATA") this.packet(next++, r.data);
      else if (r.type === "END") this.packet(next++, null);
      else if (r.type === "ACK") this.acked(r.id);
      else if (r.type === "PING") answer({ type: "PONG" });
      else if (r.type === "CLOSE") this.close(r.cause);
      else if (r.type !== "PONG") throw new Error(`${r.type} from the client`);
    }
    return next;
  }

  send(data: Bytes): void {
    this.out.push(data);
    if (!this.downlink) return;
    const id = this.first + this.out.length - 1;
    const seq: SessionRecord[] = id === this.sent + 1 && this.sent >= this.first ? [] : [{ type: "SEQ", id }];
    this.sent = id;
    this.downlink.send([...seq, { type: "DATA", data }]);
  }

  /** Ends our stream. */
  finish(): void {
    this.out.push(null);
    this.downlink?.send([{ type: "SEQ", id: this.first + this.out.length - 1 }, { type: "END" }]); // prettier-ignore
    this.sent = this.first + this.out.length - 1;
  }

  close(cause: number): void {
    if (this.closed >= 0) return;
    this.closed = cause;
    this.downlink?.send([{ type: "CLOSE", cause, retry: 0, text: "" }]);
    this.downlink?.end(cause);
    this.downlink = null;
  }

  private acked(id: number): void {
    if (id > this.sent) throw new Error(`the client acknowledges ${id}, sent was ${this.sent}`);
    while (this.first <= id) {
      this.first++;
      this.out.shift();
    }
  }

  private packet(id: number, data: Packet): void {
    if (id <= this.received) this.repeats++;
    else this.held.set(id, data);
    if (this.held.size > 64) throw new Error("the client left a gap");
    for (let p = this.held.get(this.received + 1); p !== undefined; p = this.held.get(this.received + 1)) {
      this.held.delete(++this.received);
      if (p) this.app.receive(p);
    }
  }
}

function asRecord(p: Packet): SessionRecord {
  return p ? { type: "DATA", data: p } : { type: "END" };
}

/** A backend that sends back what it gets, within the windows. */
interface Echo {
  window: number; // what the client said in OPEN
  clientWindow: number; // what we may send
  left: number; // what the client may send
  back: Bytes[];
  total: number;
  eof: boolean;
  eofSent: boolean;
}

/** The socket layer of a proxy whose backends echo. */
export class EchoMux {
  readonly opened: { host: string; port: number }[] = [];
  /** All frames of the client, DATA in the pieces they came in. */
  readonly frames: Frame[] = [];
  /** When not null, OPEN is answered by this RESET. */
  refuse: number | null = null;
  /** Whether the backends read. */
  reading = true;
  /** Whether the backends send nothing by themselves. */
  silent = false;
  private readonly waiting = new Map<Frame["type"], () => void>();
  private readonly sockets = new Map<number, Echo>();
  private readonly parser = new FrameParser();

  constructor(private readonly send: (data: Bytes) => void) {}

  receive(data: Bytes): void {
    this.parser.feed(data, (f) => {
      this.frames.push(f);
      this.frame(f);
      this.waiting.get(f.type)?.();
    });
  }

  /** Lets the client send n more bytes. */
  grant(socket: number, n: number): void {
    this.sockets.get(socket)!.left += n;
    this.say({ type: "WINDOW", socket, n });
  }

  /** Until a frame of this type has come. */
  until(type: Frame["type"]): Promise<void> {
    if (this.frames.some((f) => f.type === type)) return Promise.resolve();
    return new Promise((resolve) => this.waiting.set(type, resolve));
  }

  /** Bytes that the page was sent and has not taken. */
  unconsumed(socket: number): number {
    const echo = this.sockets.get(socket);
    return echo ? echo.window - echo.clientWindow : 0;
  }

  /** Sends frames of the proxy. */
  say(...frames: Frame[]): void {
    const out = new ByteWriter();
    for (const f of frames) appendFrame(out, f);
    this.send(out.finish());
  }

  private frame(f: Frame): void {
    const socket = f.socket;
    if (f.type === "OPEN") {
      if (this.sockets.has(socket)) throw new Error(`socket ${socket} opened twice`);
      this.opened.push({ host: f.host, port: f.port });
      if (this.refuse !== null) {
        this.say({ type: "RESET", socket, cause: this.refuse, text: "" });
        return;
      }
      this.sockets.set(socket, { window: f.window, clientWindow: f.window, left: 65536 + 196608, back: [], total: 0, eof: false, eofSent: false });
      this.say({ type: "OPENED", socket, window: 196608, remote: "127.0.0.1:7", local: "[::1]:4000" });
      return;
    }
    const echo = this.sockets.get(socket);
    if (!echo) return;
    switch (f.type) {
      case "DATA":
        echo.left -= f.data.length;
        if (echo.left < 0) throw new Error("the client exceeds its window");
        echo.back.push(f.data);
        if (this.reading) {
          echo.left += f.data.length;
          this.say({ type: "WINDOW", socket, n: f.data.length });
        }
        break;
      case "WINDOW":
        echo.clientWindow += f.n;
        break;
      case "EOF":
        echo.eof = true;
        break;
      case "CLOSE":
        this.sockets.delete(socket);
        this.say({ type: "RESET", socket, cause: 0, text: "" });
        return;
      case "RESET":
        this.sockets.delete(socket);
        return;
    }
    this.flow(socket, echo);
  }

  private flow(socket: number, echo: Echo): void {
    if (this.silent) return;
    while (echo.back.length > 0 && echo.clientWindow > 0) {
      const piece = echo.back[0].subarray(0, Math.min(echo.clientWindow, 16384));
      echo.clientWindow -= piece.length;
      echo.total += piece.length;
      if (piece.length === echo.back[0].length) echo.back.shift();
      else echo.back[0] = echo.back[0].subarray(piece.length);
      this.say({ type: "DATA", socket, data: piece.slice() });
    }
    if (echo.eof && echo.back.length === 0 && !echo.eofSent) {
      echo.eofSent = true;
      this.say({ type: "EOF", socket });
    }
  }
}

/** A proxy with echoing backends. */
export class Proxy {
  readonly sessions: ProxySession[] = [];
  readonly muxes: EchoMux[] = [];
  /** Called for the socket layer of each new session. */
  prepare: (mux: EchoMux) => void = () => {};
  /** Refuses every opening with this cause. */
  refuse: { cause: number; retry: number } | null = null;
  private readonly byKey = new Map<string, ProxySession>();

  constructor(private readonly clock: Clock) {}

  /** The session that the first record of a link names, and the answer to it. */
  hello(r: SessionRecord): { session: ProxySession; ack: number; first: SessionRecord } | { cause: number; retry: number } {
    if (r.type === "NEW") {
      if (this.refuse) return this.refuse;
      const key = r.key.join();
      const session = this.byKey.get(key) ?? this.open(key);
      return { session, ack: 0, first: { type: "WELCOME", session: session.id, ack: session.received, window: 120, heartbeat: 25 } };
    }
    if (r.type !== "RESUME") throw new Error(`${r.type} is first`);
    const session = this.sessions.find((s) => s.id === r.session);
    if (!session || session.closed >= 0) return { cause: session && session.closed > 0 ? session.closed : 13, retry: 0 };
    return { session, ack: r.ack, first: { type: "ACK", id: session.received } };
  }

  private open(key: string): ProxySession {
    let session: ProxySession;
    const mux = new EchoMux((data) => session.send(data));
    session = new ProxySession(this.clock, `n1.session${this.sessions.length}`, mux);
    this.prepare(mux);
    this.sessions.push(session);
    this.muxes.push(mux);
    this.byKey.set(key, session);
    return session;
  }
}
