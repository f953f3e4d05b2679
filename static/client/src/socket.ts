import { type Bytes, ByteWriter, noBytes } from "./bytes.ts";
import { type Cause, cause, causeFromWire, causeNumber } from "./cause.ts";
import { appendFrame, dataHead, type Frame, type Option } from "./frame.ts";
import { ReceiveWindow, SendWindow } from "./window.ts";

/** What a socket tells its user. No method is called after over. */
export interface SocketEvents {
  /** The backend is connected; addresses as "IP:port" or "[IPv6]:port". */
  opened(remote: string, local: string): void;
  /** Bytes of the backend; call consumed when they are used up. Valid as long as the user likes. */
  data(bytes: Bytes): void;
  /** The backend sends no more. */
  eof(): void;
  /** Bytes given to write have gone to the session. */
  moved(): void;
  /** The end, called once; code "closed" when both sides had finished. */
  over(why: Cause): void;
}

export interface Target {
  host: string;
  port: number;
  options: Option[];
  /** Receive window in bytes. */
  window: number;
  /** What it may grow to. */
  largestWindow: number;
}

/** What a socket needs of its mux. */
interface Owner {
  /** Control frames wait to be sent. */
  urgent(s: Socket): void;
  /** Bytes, or a frame that must follow them, wait to be sent. */
  ready(s: Socket): void;
  forget(s: Socket): void;
}

/** Bytes that may wait for the uplink before write is told to wait: the longest turn. */
const acceptBytes = 256 * 1024;

/**
 * One TCP connection as the page sees it (tcpsocket/PROTOCOL.md section 3). It
 * queues what the page writes and gives it out as frames when the mux asks.
 */
export class Socket {
  private readonly sendWindow = new SendWindow();
  private readonly receiveWindow: ReceiveWindow;
  private queue: Bytes[] = [];
  /** Bytes written and not yet gone to the session. */
  queued = 0;

  /** Bytes that have gone to the session. */
  sent = 0;
  /** Bytes of its turn that it has used, for the mux. */
  used = 0;

  private openSent = false;
  private resetWanted = false;
  private eofWanted = false;
  private eofSent = false;
  private eofReceived = false;
  private closeWanted = false;
  private closeSent = false;
  isOver = false;

  constructor(
    readonly number: number,
    private readonly target: Target,
    private readonly events: SocketEvents,
    private readonly owner: Owner,
  ) {
    this.receiveWindow = new ReceiveWindow(target.window, target.largestWindow);
    owner.urgent(this);
  }

  /** Queues bytes, which must not change afterwards. */
  write(data: Bytes): void {
    if (data.length === 0 || this.isOver) return;
    this.queue.push(data);
    this.queued += data.length;
    if (this.canSend) this.owner.ready(this);
  }

  /** Whether what is queued will go with the next turns, without waiting for the backend. */
  get accepts(): boolean {
    return this.queued <= Math.min(this.sendWindow.left, acceptBytes);
  }

  /** Ends our direction behind what is queued. */
  eof(): void {
    this.eofWanted = true;
    if (this.canSend) this.owner.ready(this);
  }

  /** Ends both directions behind what is queued; over follows. */
  close(): void {
    this.closeWanted = true;
    if (this.canSend) this.owner.ready(this);
  }

  /** Ends the socket now and drops what is queued. over is called with cause "reset". */
  reset(): void {
    if (this.isOver) return;
    this.resetWanted = this.openSent;
    if (this.resetWanted) this.owner.urgent(this);
    this.finish(cause("reset", "reset by the page"));
  }

  /** The page has used up n bytes of data. */
  consumed(n: number): void {
    this.receiveWindow.consumed(n);
    if (!this.isOver && !this.closeSent && !this.eofReceived && this.receiveWindow.due) this.owner.urgent(this);
  }

  /** Takes a frame of the proxy. */
  receive(f: Frame): void {
    switch (f.type) {
      case "OPENED":
        this.widen(f.window);
        this.events.opened(f.remote, f.local);
        break;
      case "DATA":
        this.receiveWindow.arrived(f.data.length);
        if (!this.eofReceived) this.events.data(f.data);
        break;
      case "WINDOW":
        this.widen(f.n);
        break;
      case "EOF":
        if (this.eofReceived) return;
        this.eofReceived = true;
        this.events.eof();
        this.finishIfBothEnded();
        break;
      case "RESET":
        this.finish(cause(causeFromWire(f.cause), f.text));
        break;
    }
  }

  /** Appends the control frames that wait. */
  takeUrgent(out: ByteWriter): void {
    if (this.resetWanted) {
      this.resetWanted = false;
      appendFrame(out, { type: "RESET", socket: this.number, cause: causeNumber("reset"), text: "" });
      return;
    }
    if (this.isOver) return;
    if (!this.openSent) {
      this.openSent = true;
      const { host, port, options, window } = this.target;
      appendFrame(out, { type: "OPEN", socket: this.number, window, port, host, options });
      if (this.canSend) this.owner.ready(this);
    }
    if (this.receiveWindow.due) appendFrame(out, { type: "WINDOW", socket: this.number, n: this.receiveWindow.take() });
  }

  /**
   * Appends one DATA frame, at most max bytes with its head, and what may follow
   * the last one. Returns whether more can be sent.
   */
  takeData(out: ByteWriter, max: number): boolean {
    if (this.isOver || !this.openSent) return false;
    const n = Math.min(this.queued, this.sendWindow.left, max - dataHead);
    if (n > 0) {
      appendFrame(out, { type: "DATA", socket: this.number, data: this.dequeue(n) });
      this.sendWindow.left -= n;
      this.sent += n;
      this.events.moved(); // before the end, behind which there may be no more calls
    }
    if (this.queued === 0) this.takeEnd(out);
    return this.canSend;
  }

  /** Ends the socket from outside: the session is over, or the page reset it. */
  finish(why: Cause): void {
    if (this.isOver) return;
    this.isOver = true;
    this.queue = [];
    this.queued = 0;
    this.owner.forget(this);
    this.events.over(why);
  }

  private get canSend(): boolean {
    if (this.isOver || !this.openSent || this.closeSent) return false;
    if (this.queued > 0) return this.sendWindow.left > 0;
    return this.closeWanted || (this.eofWanted && !this.eofSent);
  }

  private takeEnd(out: ByteWriter): void {
    if (this.closeSent) return;
    if (this.closeWanted) {
      this.closeSent = true;
      appendFrame(out, { type: "CLOSE", socket: this.number });
    } else if (this.eofWanted && !this.eofSent) {
      this.eofSent = true;
      appendFrame(out, { type: "EOF", socket: this.number });
      this.finishIfBothEnded();
    }
  }

  private finishIfBothEnded(): void {
    if (this.eofSent && this.eofReceived) this.finish(cause("closed"));
  }

  private widen(n: number): void {
    this.sendWindow.add(n);
    if (this.canSend) this.owner.ready(this);
    if (this.accepts) this.events.moved();
  }

  /** The next n bytes, in one piece. */
  private dequeue(n: number): Bytes {
    this.queued -= n;
    let first = this.queue[0];
    if (first.length >= n) {
      if (first.length === n) this.queue.shift();
      else this.queue[0] = first.subarray(n);
      return first.subarray(0, n);
    }
    const out = new Uint8Array(n);
    let at = 0;
    while (at < n) {
      first = this.queue[0] ?? noBytes;
      const part = first.subarray(0, n - at);
      out.set(part, at);
      at += part.length;
      if (part.length === first.length) this.queue.shift();
      else this.queue[0] = first.subarray(part.length);
    }
    return out;
  }
}
