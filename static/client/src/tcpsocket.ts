import { proxyBase } from "./base.ts";
import type { Bytes } from "./bytes.ts";
import type { Cause } from "./cause.ts";
import { Delivery } from "./delivery.ts";
import { errorOf, invalidState, TCPSocketError } from "./error.ts";
import { CloseEvent, LinkEvent, ReadEvent } from "./events.ts";
import type { TransportName } from "./link.ts";
import { callPage, Listeners } from "./listeners.ts";
import { checkTarget, readOptions, type TCPSocketOptions } from "./options.ts";
import { Promised } from "./promised.ts";
import type { Socket } from "./socket.ts";
import type { LinkDetail, LinkState } from "./state.ts";
import { trunkFor } from "./pool.ts";
import type { Rider, Trunk } from "./trunk.ts";
import { copyBytes, WritableSide } from "./writable.ts";

const INITIALIZED = 1;
const OPENING = 2;
const OPEN = 3;
const CLOSING = 4;
const CLOSED = 5;

/** What opened tells. */
export interface TCPSocketOpenInfo {
  readonly readable: ReadableStream<Bytes>;
  readonly writable: WritableStream<BufferSource>;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/**
 * A TCP connection from the page, through the proxy. Three ways to use it, which
 * may be mixed: callbacks (onopen, onread, onclose, send), the streams of Direct
 * Sockets (opened, readable, writable, closed), events.
 *
 * Bytes of the backend go to onread and "read" listeners if there are any, else
 * they wait for readable; what waits is bounded by the receive window.
 */
export class TCPSocket extends Listeners {
  static proxy: string | undefined;
  static readonly Error = TCPSocketError;
  static readonly INITIALIZED = INITIALIZED;
  static readonly OPENING = OPENING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;
  declare readonly INITIALIZED: 1;
  declare readonly OPENING: 2;
  declare readonly OPEN: 3;
  declare readonly CLOSING: 4;
  declare readonly CLOSED: 5;

  onopen: (() => void) | null = null;
  onclose: ((cause: TCPSocketError) => void) | null = null;

  private readonly settings;
  private readonly proxy: string | URL | undefined;
  private binary: boolean;
  private phase = INITIALIZED;
  private where = "";
  private trunk: Trunk | null = null;
  private socket: Socket | null = null;
  private readCallback: ((data: string | Bytes) => void) | null = null;
  private readonly delivery: Delivery;
  private writableSide: WritableSide | null = null;
  private readonly openPromise = new Promised<TCPSocketOpenInfo>();
  private readonly closePromise = new Promised<undefined>();
  private endHandled = false;
  private writingEnded = false;
  private final: TCPSocketError | null = null;

  constructor(host: string, port: number, options?: TCPSocketOptions);
  constructor(options?: TCPSocketOptions);
  constructor(first?: string | TCPSocketOptions, port?: number, options?: TCPSocketOptions) {
    super();
    const given = (typeof first === "object" ? first : options) ?? {};
    this.settings = readOptions(given);
    this.binary = this.settings.binary;
    this.delivery = new Delivery(this.recipient());
    this.proxy = given.proxy;
    if (typeof first === "string") this.open(first, port as number);
    else if (first !== undefined && typeof first !== "object") throw new TypeError("the host must be a string");
  }

  open(host: string, port: number, binary?: boolean): void {
    if (this.phase !== INITIALIZED) throw invalidState("this socket has been opened before");
    checkTarget(host, port);
    const base = proxyBase(this.proxy ?? TCPSocket.proxy);
    if (binary !== undefined) this.binary = binary;
    this.where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
    const { window, largestWindow, frame, transports } = this.settings;
    this.phase = OPENING;
    this.trunk = trunkFor(base, transports);
    const events = {
      opened: (remote: string, local: string) => this.nowOpen(remote, local),
      data: (bytes: Bytes) => this.delivery.arrived(bytes),
      eof: () => this.delivery.end(),
      moved: () => this.writableSide?.moved(),
      over: (why: Cause) => this.over(why),
    };
    this.socket = this.trunk.open({ host, port, window, largestWindow, options: frame }, events, this.rider);
    this.listenersChanged("link");
  }

  get onread(): ((data: string | Bytes) => void) | null {
    return this.readCallback;
  }

  set onread(f: ((data: string | Bytes) => void) | null) {
    this.readCallback = typeof f === "function" ? f : null;
    this.delivery.deliver();
  }

  send(data: string | BufferSource): void {
    if (this.phase !== OPENING && this.phase !== OPEN) throw invalidState("the socket is not open");
    if (this.writingEnded) throw invalidState("writable has been closed");
    this.socket!.write(typeof data === "string" ? (new TextEncoder().encode(data) as Bytes) : copyBytes(data));
  }

  close(): Promise<undefined> {
    if (this.phase === INITIALIZED) {
      this.over({ code: "closed", text: "closed before it was opened", retry: 0 });
    } else if (this.phase === OPENING || this.phase === OPEN) {
      this.phase = CLOSING;
      this.delivery.close();
      if (this.writableSide) this.writableSide.drain(() => this.socket!.close());
      else this.socket!.close();
    }
    return this.closed;
  }

  reset(): void {
    if (this.phase === INITIALIZED) this.over({ code: "reset", text: "", retry: 0 });
    else if (this.phase !== CLOSED) {
      this.delivery.discard();
      this.socket!.reset();
    }
  }

  get readyState(): number {
    return this.phase;
  }

  get bufferedAmount(): number {
    return (this.socket?.queued ?? 0) + (this.writableSide?.pending ?? 0);
  }

  get bytesRead(): number {
    return this.delivery.received;
  }

  get bytesWritten(): number {
    return this.socket?.sent ?? 0;
  }

  get opened(): Promise<TCPSocketOpenInfo> {
    return this.openPromise.promise;
  }

  get closed(): Promise<undefined> {
    return this.closePromise.promise;
  }

  get readable(): ReadableStream<Bytes> {
    if (!this.socket) throw invalidState("the socket has not been opened");
    return this.delivery.stream;
  }

  get writable(): WritableStream<BufferSource> {
    if (!this.writableSide) {
      if (!this.socket) throw invalidState("the socket has not been opened");
      this.writableSide = new WritableSide(this.socket, this.settings.highWater, () => (this.writingEnded = true));
      if (this.final) this.writableSide.end(this.final);
    }
    return this.writableSide.stream;
  }

  get transport(): TransportName | null {
    return this.phase === CLOSED ? null : (this.trunk?.transport ?? null);
  }

  get state(): LinkState {
    if (this.phase === CLOSED) return "closed";
    return this.trunk?.state ?? "idle";
  }

  cutLink(): void {
    this.trunk?.cut();
  }

  protected override listenersChanged(type: string): void {
    if (type === "read") this.delivery.deliver();
    if (type !== "link" || !this.trunk || this.phase === CLOSED) return;
    if (this.has("link")) this.trunk.watchers.add(this.rider);
    else this.trunk.watchers.delete(this.rider);
  }

  private readonly rider: Rider = {
    stateChanged: () => this.dispatchEvent(new Event("statechange")),
    transportChanged: () => this.dispatchEvent(new Event("transportchange")),
    detail: (d: LinkDetail) => this.dispatchEvent(new LinkEvent(d)),
  };

  private nowOpen(remote: string, local: string): void {
    if (this.phase !== OPENING) return;
    this.phase = OPEN;
    const socket = this;
    const [remoteAddress, remotePort] = splitAddress(remote);
    const [localAddress, localPort] = splitAddress(local);
    this.openPromise.resolve({
      // Made when they are asked for: a page that uses callbacks has no streams.
      get readable() {
        return socket.readable;
      },
      get writable() {
        return socket.writable;
      },
      remoteAddress,
      remotePort,
      localAddress,
      localPort,
    });
    callPage(() => this.onopen?.());
    this.dispatchEvent(new Event("open"));
  }

  private recipient(): ConstructorParameters<typeof Delivery>[0] {
    const socket = this;
    return {
      get binary() {
        return socket.binary;
      },
      wants: () => this.readCallback !== null || this.has("read"),
      read: (data) => {
        callPage(() => this.readCallback?.(data));
        if (this.has("read")) this.dispatchEvent(new ReadEvent(data));
      },
      consumed: (n) => this.socket?.consumed(n),
      ended: () => this.backendEnded(),
    };
  }

  /** With callbacks there is no half-open socket: the end of the backend is the end. */
  private backendEnded(): void {
    if (this.endHandled) return;
    this.endHandled = true;
    if (this.phase !== OPEN || this.usesStreams) return;
    if (this.readCallback || this.has("read")) void this.close();
    else if (this.onopen || this.onclose || this.has("open") || this.has("close")) {
      // The page has not read anything; perhaps it is about to take the streams.
      setTimeout(() => {
        if (!this.usesStreams) void this.close();
      }, 0);
    }
  }

  private get usesStreams(): boolean {
    return this.delivery.usesStream || this.writableSide !== null;
  }

  private over(why: Cause): void {
    this.phase = CLOSED;
    const final = (this.final = errorOf(why, this.where || "socket", this.trunk?.attempts));
    this.openPromise.reject(final);
    if (why.code === "closed") this.closePromise.resolve(undefined);
    else this.closePromise.reject(final);
    this.trunk?.leave(this.rider);
    if (this.trunk?.state !== "closed") this.dispatchEvent(new Event("statechange"));
    this.writableSide?.end(final);
    this.delivery.end(why.code === "closed" ? undefined : final);
    // Later, since reset and close may have been called by the page just now.
    void Promise.resolve().then(() => {
      callPage(() => this.onclose?.(final));
      this.dispatchEvent(new CloseEvent(final));
    });
  }
}

for (const [name, value] of Object.entries({ INITIALIZED, OPENING, OPEN, CLOSING, CLOSED })) {
  Object.defineProperty(TCPSocket.prototype, name, { value, enumerable: true });
}

/** "IP:port" or "[IPv6]:port" in two. */
function splitAddress(text: string): [address: string, port: number] {
  const colon = text.lastIndexOf(":");
  return [text.slice(0, colon).replace(/^\[|\]$/g, ""), Number(text.slice(colon + 1))];
}
