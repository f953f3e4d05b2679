import { type Bytes, ByteWriter } from "./bytes.ts";
import { addressFamilyOption, keepAliveOption, noDelayOption, type Option } from "./frame.ts";
import type { TransportName } from "./link.ts";
import { transports } from "./transports/index.ts";

/** What a TCPSocket can be told; all have defaults. */
export interface TCPSocketOptions {
  /** The proxy's address. Default: TCPSocket.proxy, else the directory the script was loaded from. */
  proxy?: string | URL;
  /** Only these transports, in this order. Default: chosen by measurement. */
  transports?: TransportName[];
  /** Whether onread gets a Uint8Array instead of text. Default false. */
  binary?: boolean;
  /** Default true. */
  noDelay?: boolean;
  /** Milliseconds, at least 1000. Default 15000. */
  keepAliveDelay?: number;
  dnsQueryType?: "ipv4" | "ipv6";
  /** Bytes the proxy may send before the page takes any. At most 16 MiB. Default 1 MiB, and up to 16 while the page takes all that comes. */
  receiveBufferSize?: number;
  /** High-water mark of writable in bytes. Default 256 KiB. */
  sendBufferSize?: number;
}

const defaultWindow = 1024 * 1024;
const largestWindow = 16 * 1024 * 1024;
const defaultHighWater = 256 * 1024;

/** The options as the socket layer wants them. */
export interface SocketSettings {
  binary: boolean;
  window: number;
  largestWindow: number;
  highWater: number;
  frame: Option[];
  transports: TransportName[] | undefined;
}

/** Checks options. Throws TypeError for what Direct Sockets would not accept. */
export function readOptions(o: TCPSocketOptions): SocketSettings {
  const frame: Option[] = [];
  if (o.noDelay !== undefined) frame.push([noDelayOption, oneByte(o.noDelay ? 1 : 0)]);
  if (o.keepAliveDelay !== undefined) {
    if (!(o.keepAliveDelay >= 1000)) throw new TypeError("keepAliveDelay must be at least 1000 ms");
    const value = new ByteWriter(8);
    value.uvarint(Math.floor(o.keepAliveDelay));
    frame.push([keepAliveOption, value.finish()]);
  }
  if (o.dnsQueryType !== undefined) {
    if (o.dnsQueryType !== "ipv4" && o.dnsQueryType !== "ipv6") throw new TypeError('dnsQueryType must be "ipv4" or "ipv6"');
    frame.push([addressFamilyOption, oneByte(o.dnsQueryType === "ipv4" ? 4 : 6)]);
  }
  const window = Math.min(size("receiveBufferSize", o.receiveBufferSize, defaultWindow), largestWindow);
  return {
    binary: o.binary ?? false,
    window,
    largestWindow: o.receiveBufferSize === undefined ? largestWindow : window,
    highWater: size("sendBufferSize", o.sendBufferSize, defaultHighWater),
    frame,
    transports: readTransports(o.transports),
  };
}

/** Checks a target. Throws TypeError for what can not be one. */
export function checkTarget(host: string, port: number): void {
  if (typeof host !== "string" || host === "" || host.length > 255) throw new TypeError("the host must be a name or an address");
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new TypeError("the port must be a whole number from 1 to 65535");
}

function readTransports(names: TransportName[] | undefined): TransportName[] | undefined {
  if (names === undefined) return undefined;
  if (!Array.isArray(names) || names.length === 0) throw new TypeError("transports must name at least one transport");
  for (const name of names) {
    if (!transports.some((t) => t.name === name)) throw new TypeError(`there is no transport ${JSON.stringify(name)}`);
  }
  return [...new Set(names)];
}

function size(name: string, value: number | undefined, otherwise: number): number {
  if (value === undefined) return otherwise;
  const whole = Math.floor(Number(value));
  if (!(whole >= 1)) throw new TypeError(`${name} must be a number of bytes above 0`);
  return whole;
}

function oneByte(n: number): Bytes {
  return new Uint8Array([n]);
}
