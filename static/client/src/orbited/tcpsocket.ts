import type { Bytes } from "../bytes.ts";
import { callPage } from "../listeners.ts";
import { TCPSocket as Socket } from "../tcpsocket.ts";
import { codeOf, Errors } from "./codes.ts";
import { getLogger } from "./loggers.ts";
import { bytesOf, stringOf } from "./strings.ts";

const INITIALIZED = 1;
const OPENING = 2;
const OPEN = 3;
const CLOSING = 4;
const CLOSED = 5;

let lastId = 0;

/** Where the proxy is; asked at each open. */
let proxy: () => string;

export function proxyAt(address: () => string): void {
  proxy = address;
}

/**
 * The socket of Orbited 0.7. Methods may be taken off it, as each socket has its own;
 * data and the end come from a timer, never from within a call.
 */
export class TCPSocket {
  readonly id = ++lastId;
  readyState = INITIALIZED;
  onopen: () => void = () => {};
  onread: (data: string) => void = () => {};
  onclose: (code: number) => void = () => {};
  private socket: Socket | null = null;
  private binary = false;
  private over = false;

  constructor(...args: never[]) {
    if (args.length > 0) throw new Error("TCPSocket() accepts no arguments");
  }

  readonly open = (hostname: string, port: number | string, isBinary?: boolean): void => {
    if (this.readyState !== INITIALIZED) throw new Error("Invalid readyState");
    if (!hostname) throw new Error("No hostname specified");
    if (Number.isNaN(Number(port))) throw new Error("Invalid port specified");
    this.readyState = OPENING;
    this.binary = Boolean(isBinary);
    const socket = (this.socket = new Socket({ proxy: proxy(), binary: this.binary }));
    socket.onopen = () => {
      if (this.over) return;
      this.readyState = OPEN;
      callPage(() => this.onopen());
    };
    socket.onread = (data) => this.arrived(data);
    socket.onclose = (cause) => this.end(codeOf(cause.code, this.readyState === OPEN));
    try {
      socket.open(String(hostname), Number(port));
    } catch (e) {
      if (!(e instanceof TypeError)) throw e;
      this.end(Errors.InvalidHandshake); // no target, or no proxy
    }
  };

  readonly send = (data: string): void => {
    if (this.readyState !== OPEN) throw new Error("Invalid readyState");
    this.socket!.send(this.binary ? bytesOf(String(data)) : String(data));
  };

  readonly close = (): void => {
    if (this.over) return;
    void this.socket?.close();
    this.end(Errors.UserConnectionReset);
  };

  readonly reset = (): void => {
    if (this.over || !this.socket) return;
    this.socket.reset();
    this.end(Errors.UserConnectionReset);
  };

  toString(): string {
    return `<Orbited.TCPSocket ${this.id}>`;
  }

  private arrived(data: string | Bytes): void {
    if (this.over) return;
    const text = typeof data === "string" ? data : stringOf(data);
    setTimeout(() => callPage(() => this.onread(text)), 0);
  }

  private end(code: number): void {
    if (this.over) return;
    this.over = true;
    this.readyState = CLOSED;
    setTimeout(() => callPage(() => this.onclose(code)), 0);
  }
}

Object.assign(TCPSocket.prototype, {
  READY_STATE_INITIALIZED: INITIALIZED,
  READY_STATE_OPENING: OPENING,
  READY_STATE_OPEN: OPEN,
  READY_STATE_CLOSING: CLOSING,
  READY_STATE_CLOSED: CLOSED,
  logger: getLogger("Orbited.TCPSocket"),
});
