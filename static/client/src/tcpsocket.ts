import { proxyBase } from "./base.ts";
import type { Bytes } from "./bytes.ts";
import type { Cause } from "./cause.ts";
import { errorOf, invalidState, TCPSocketError } from "./error.ts";
import { CloseEvent, LinkEvent, ReadEvent } from "./events.ts";
import { Inbox } from "./inbox.ts";
import type { TransportName } from "./link.ts";
import { callPage, Listeners } from "./listeners.ts";
import { checkTarget, readOptions, type TCPSocketOptions } from "./options.ts";
import { Promised } from "./promised.ts";
import { ReadableSide } from "./readable.ts";
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
  private readonly inbox = new Inbox((n) => this.taken(n));
  private readonly decoder = new TextDecoder();
  private readableSide: ReadableSide | null = null;
  private writableSide: WritableSide | null = null;
  private readonly openPromise = new Promised<TCPSocketOpenInfo>();
  private readonly closePromise = new Promised<undefined>();
  private received = 0;
  private delivering = false;
  private peerEnded = false;
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
    const { window, frame, transports } = this.settings;
    this.phase = OPENING;
    this.trunk = trunkFor(base, transports);
    const events = {
      opened: (remote: string, local: string) => this.nowOpen(remote, local),
      data: (bytes: Bytes) => this.arrived(bytes),
      eof: () => this.peerEof(),
      moved: () => this.writableSide?.moved(),
      over: (why: Cause) => this.over(why),
    };
    this.socket = this.trunk.open({ host, port, window, options: frame }, events, this.rider);
    this.listenersChanged("link");
  }

  get onread(): ((data: string | Bytes) => void) | null {
    return this.readCallback;
  }

  set onread(f: ((data: string | Bytes) => void) | null) {
    this.readCallback = typeof f === "function" ? f : null;
    this.deliver();
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
      this.inbox.discard();
      this.readableSide?.end();
      if (this.writableSide) this.writableSide.drain(() => this.socket!.close());
      else this.socket!.close();
    }
    return this.closed;
  }

  reset(): void {
    if (this.phase === INITIALIZED) this.over({ code: "reset", text: "", retry: 0 });
    else if (this.phase !== CLOSED) {
      this.inbox.discard();
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
    return this.received;
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
    if (!this.readableSide) {
      if (!this.socket) throw invalidState("the socket has not been opened");
      this.readableSide = new ReadableSide(this.inbox);
      this.deliver();
    }
    return this.readableSide.stream;
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
    if (type === "read") this.deliver();
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

  private arrived(bytes: Bytes): void {
    this.received += bytes.length;
    this.inbox.push(bytes);
    this.deliver();
  }

  private peerEof(): void {
    this.peerEnded = true;
    this.deliver();
  }

  /** Hands on what has arrived to whoever wants it now. */
  private deliver(): void {
    if (this.delivering) return;
    this.delivering = true;
    while (this.readCallback || this.has("read")) {
      const chunk = this.inbox.take();
      if (!chunk) break;
      this.read(this.binary ? chunk.slice() : this.decoder.decode(chunk, { stream: true }));
      this.inbox.done(chunk);
    }
    this.delivering = false;
    this.readableSide?.offer();
    this.checkEnd();
  }

  /** The page has used up n bytes. */
  private taken(n: number): void {
    this.socket?.consumed(n);
    if (!this.delivering) this.checkEnd();
  }

  private checkEnd(): void {
    if (this.inbox.empty && (this.peerEnded || this.final)) this.streamEnded();
  }

  private read(data: string | Bytes): void {
    if (data.length === 0) return;
    callPage(() => this.readCallback?.(data));
    if (this.has("read")) this.dispatchEvent(new ReadEvent(data));
  }

  /** Everything the backend sent has been taken, and no more will come. */
  private streamEnded(): void {
    if (this.final && this.final.code !== "closed") this.readableSide?.end(this.final);
    else this.readableSide?.end();
    if (this.endHandled) return;
    this.endHandled = true;
    if (!this.binary && this.phase !== CLOSING) this.read(this.decoder.decode());
    if (this.final || this.phase !== OPEN || this.usesStreams) return;
    // With callbacks there is no half-open socket. A page that has none at all may
    // be about to take the streams.
    if (this.readCallback || this.has("read")) void this.close();
    else if (this.onopen || this.onclose || this.has("open") || this.has("close")) {
      setTimeout(() => {
        if (!this.usesStreams) void this.close();
      }, 0);
    }
  }

  private get usesStreams(): boolean {
    return this.readableSide !== null || this.writableSide !== null;
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
    this.deliver();
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
