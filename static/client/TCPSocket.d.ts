/** TCP sockets for the browser. Type declarations of TCPSocket.mjs and, as global TCPSocket, of TCPSocket.js. */

export type TransportName =
  | "websocket"
  | "fetch-streaming"
  | "xhr-streaming"
  | "eventsource"
  | "long-polling"
  | "iframe"
  | "jsonp";

/** Where a socket's session with the proxy stands. */
export type LinkState = "idle" | "connecting" | "online" | "reconnecting" | "closed";

/** The causes that a socket can end with. */
export type CauseName =
  | "closed"
  | "denied"
  | "bad-target"
  | "name-not-found"
  | "refused"
  | "unreachable"
  | "timed-out"
  | "reset"
  | "idle"
  | "limit"
  | "tls-failed"
  | "not-authenticated"
  | "going-away"
  | "session-lost"
  | "protocol-error"
  | "displaced"
  | "no-transport"
  | "internal";

export interface TCPSocketOptions {
  /** The proxy's address. Default: TCPSocket.proxy, else the directory the script was loaded from. */
  proxy?: string | URL;
  /** Only these transports, in this order; one is forced. Default: chosen by measurement. */
  transports?: TransportName[];
  /** Whether onread gets a Uint8Array instead of text. Default: false. */
  binary?: boolean;
  /** Default: true. */
  noDelay?: boolean;
  /** Milliseconds, at least 1000. Default: 15000. */
  keepAliveDelay?: number;
  /** Which addresses of the host to use. Default: any. */
  dnsQueryType?: "ipv4" | "ipv6";
  /** Bytes that may arrive before the page takes any. At most 16 MiB. Default: 1 MiB, and up to 16 while the page takes all that comes; each socket has its own. */
  receiveBufferSize?: number;
  /** High-water mark of writable in bytes. Default: 256 KiB. */
  sendBufferSize?: number;
}

export interface TCPSocketOpenInfo {
  /** A byte stream. Ends when the backend has sent its last byte. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** close() of its writer is a half-close, abort() a reset. */
  readonly writable: WritableStream<BufferSource>;
  /** The backend's address as the proxy resolved it. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The proxy's address on that connection. */
  readonly localAddress: string;
  readonly localPort: number;
}

/** Why one transport did not work. */
export interface Attempt {
  transport: TransportName;
  reason: string;
}

/** Why a socket ended or could not be opened. */
export class TCPSocketError extends Error {
  constructor(code: CauseName | "invalid-state", message: string, more?: { retry?: number; attempts?: readonly Attempt[] });
  /** "NotAllowedError", "TypeError", "NetworkError" or "InvalidStateError". */
  name: string;
  /** "closed" for a clean end; "invalid-state" for a call that is not allowed now. */
  readonly code: CauseName | "invalid-state";
  /** The number of the cause on the wire; -1 for "invalid-state". */
  readonly number: number;
  /** Seconds to stay away, if the proxy said so. */
  readonly retryAfter?: number;
  /** For "no-transport" and "session-lost": what was tried and why it did not work. */
  readonly attempts?: readonly Attempt[];
}

/** Of the event "read". */
export interface TCPSocketReadEvent extends Event {
  readonly data: string | Uint8Array<ArrayBuffer>;
}

/** Of the event "close". */
export interface TCPSocketCloseEvent extends Event {
  readonly cause: TCPSocketError;
}

/** Of the diagnostics event "link". */
export interface TCPSocketLinkEvent extends Event {
  readonly detail: {
    kind: "packet-sent" | "packet-received" | "ack-sent" | "ack-received" | "attach" | "cut" | "resume";
    transport: TransportName | null;
    /** Of the packet, or the highest acknowledged one. */
    id?: number;
    /** Payload of the packet. */
    bytes?: number;
  };
}

export interface TCPSocketEventMap {
  open: Event;
  read: TCPSocketReadEvent;
  close: TCPSocketCloseEvent;
  /** Another transport carries the session. */
  transportchange: Event;
  /** state has changed. */
  statechange: Event;
  link: TCPSocketLinkEvent;
}

/** A TCP connection from the page, through the proxy. */
export class TCPSocket extends EventTarget {
  /** The proxy's address for sockets that are not told another one. */
  static proxy: string | undefined;
  static readonly Error: typeof TCPSocketError;
  static readonly INITIALIZED: 1;
  static readonly OPENING: 2;
  static readonly OPEN: 3;
  static readonly CLOSING: 4;
  static readonly CLOSED: 5;
  readonly INITIALIZED: 1;
  readonly OPENING: 2;
  readonly OPEN: 3;
  readonly CLOSING: 4;
  readonly CLOSED: 5;

  /** Opens at once. Throws TypeError for a target or an option that can not be. */
  constructor(host: string, port: number, options?: TCPSocketOptions);
  /** Opens when open is called. */
  constructor(options?: TCPSocketOptions);
  /** Throws a TCPSocketError "invalid-state" when the socket has been opened before. */
  open(host: string, port: number, binary?: boolean): void;

  onopen: (() => void) | null;
  /** Gets text, decoded across the borders of chunks, or with binary bytes. */
  // eslint-disable-next-line -- which of the two it gets is known to the page alone
  onread: ((data: any) => void) | null;
  /** Called exactly once; cause.code is "closed" for a clean end. */
  onclose: ((cause: TCPSocketError) => void) | null;

  /** Strings go as UTF-8. May be called while the socket opens. Throws before open and after close. */
  send(data: string | BufferSource): void;
  /** Closes both directions behind what has been sent. */
  close(): Promise<undefined>;
  /** Ends the socket at once and discards what has not left. */
  reset(): void;

  /** INITIALIZED to CLOSED. */
  readonly readyState: number;
  /** Bytes sent by the page that the session has not taken yet. */
  readonly bufferedAmount: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;

  readonly opened: Promise<TCPSocketOpenInfo>;
  /** Resolves at a clean end, else rejects with a TCPSocketError. */
  readonly closed: Promise<undefined>;
  /** As in opened; usable as soon as the socket opens. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<BufferSource>;

  /** What carries the session's downlink now. */
  readonly transport: TransportName | null;
  readonly state: LinkState;
  /** Diagnostics: drops the links as a failure of the network would; the session resumes. */
  cutLink(): void;

  addEventListener<K extends keyof TCPSocketEventMap>(
    type: K,
    listener: ((this: TCPSocket, event: TCPSocketEventMap[K]) => void) | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof TCPSocketEventMap>(
    type: K,
    listener: ((this: TCPSocket, event: TCPSocketEventMap[K]) => void) | null,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | EventListenerOptions): void;
}

export default TCPSocket;
