// Node's `net` for a page: what npm clients need of it, over TCPSocket. Aliased to "net"
// by package bundle, so that the clients are used unmodified.
//
// The flow control is TCPSocket's: a piece is read only when somebody asks for more, and
// a write is finished when the socket has taken it.
import { Duplex } from "readable-stream";

/** Options for every TCPSocket, to be set before connecting: {transports}. */
export const options = {};

const codes = {
  "denied": "EACCES",
  "bad-target": "EINVAL",
  "name-not-found": "ENOTFOUND",
  "refused": "ECONNREFUSED",
  "unreachable": "EHOSTUNREACH",
  "timed-out": "ETIMEDOUT",
};

/** A TCPSocketError as Node would report it. */
const nodeError = (error) => Object.assign(new Error(error.message), { code: codes[error.code] ?? "ECONNRESET", cause: error });

export class Socket extends Duplex {
  connecting = false;
  pending = true;
  #tcp = null;
  #opened = null; // resolves to {reader, writer}

  constructor(config = {}) {
    super({ allowHalfOpen: false, ...config });
  }

  /** connect({port, host}, callback), connect(port, host, callback) and shorter forms. */
  connect(...args) {
    const target = typeof args[0] === "object" ? args[0] : { port: args[0], host: args[1] };
    const callback = args.find((arg) => typeof arg === "function");
    if (callback) this.once("connect", callback);
    const host = typeof target.host === "string" ? target.host : "localhost";
    this.connecting = true;
    this.#tcp = new TCPSocket(host, Number(target.port), { ...options });
    this.#opened = this.#tcp.opened.then((info) => {
      this.connecting = this.pending = false;
      this.remoteAddress = info.remoteAddress;
      this.remotePort = info.remotePort;
      this.localAddress = info.localAddress;
      this.localPort = info.localPort;
      this.emit("connect");
      this.emit("ready");
      return { reader: info.readable.getReader(), writer: info.writable.getWriter() };
    });
    this.#opened.catch((error) => {
      this.connecting = false;
      this.destroy(nodeError(error));
    });
    this.read(0); // begin to read, as net does
    return this;
  }

  get readyState() {
    if (this.connecting) return "opening";
    if (this.pending || this.destroyed) return "closed";
    return this.writableEnded ? "readOnly" : "open";
  }

  get transport() {
    return this.#tcp?.transport ?? null;
  }

  // A page's client may ask for data before it connects; the first read comes with connect.
  _read() {
    this.#opened
      ?.then(({ reader }) => reader.read())
      .then(
        ({ done, value }) => this.push(done ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength)),
        (error) => this.destroy(nodeError(error)),
      );
  }

  _write(chunk, encoding, callback) {
    if (!this.#opened) {
      this.once("connect", () => this._write(chunk, encoding, callback));
      return;
    }
    this.#opened.then(({ writer }) => writer.write(chunk)).then(() => callback(), (error) => callback(nodeError(error)));
  }

  _final(callback) {
    if (!this.#opened) return callback();
    this.#opened.then(({ writer }) => writer.close()).then(() => callback(), (error) => callback(nodeError(error)));
  }

  _destroy(error, callback) {
    this.connecting = false;
    if (error || !this.writableFinished) this.#tcp?.reset();
    callback(error);
  }

  // The proxy's defaults are the ones everybody asks for, and the link watches itself.
  setNoDelay() { return this; }
  setKeepAlive() { return this; }
  setTimeout() { return this; }
  ref() { return this; }
  unref() { return this; }
  address() { return { address: this.localAddress, port: this.localPort, family: "IPv4" }; }
}

export const Stream = Socket;
export const connect = (...args) => new Socket().connect(...args);
export const createConnection = connect;
export const isIPv4 = (text) => /^\d+(\.\d+){3}$/.test(text);
export const isIPv6 = (text) => String(text).includes(":");
export const isIP = (text) => (isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0);
export default { Socket, Stream, connect, createConnection, isIP, isIPv4, isIPv6 };
