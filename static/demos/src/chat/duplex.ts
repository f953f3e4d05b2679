import { Buffer } from "buffer";
import { Duplex } from "readable-stream";

import type { TCPSocket } from "../tcpsocket.ts";

type Done = (error?: Error | null) => void;

/**
 * A TCPSocket as the Node stream that npm's libraries expect. Back-pressure holds
 * both ways: a chunk is pulled only when the library asks for one, so a library
 * that is slow stops the server; and a write is done when the socket took it.
 *
 * Ending the stream half-closes the socket, destroying it closes the socket, or
 * resets it if there was an error.
 */
export class SocketDuplex extends Duplex {
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private readonly writer: WritableStreamDefaultWriter<BufferSource>;
  private pulling = false;

  constructor(private readonly tcp: TCPSocket) {
    super({ highWaterMark: 64 * 1024 });
    this.reader = tcp.readable.getReader();
    this.writer = tcp.writable.getWriter();
    // A failure arrives through read, write or closed; this one would be a repeat.
    this.writer.closed.catch(() => undefined);
    tcp.opened.then(
      () => this.emit("connect"),
      (error: Error) => this.destroy(error),
    );
  }

  override _read(): void {
    if (this.pulling) {
      return;
    }
    this.pulling = true;
    this.reader.read().then(
      ({ done, value }) => {
        this.pulling = false;
        this.push(done ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength));
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.writer.write(chunk as Uint8Array<ArrayBuffer>).then(() => done(), done);
  }

  /** Many small pieces that were corked together leave as one. */
  override _writev(chunks: { chunk: Uint8Array }[], done: Done): void {
    this._write(Buffer.concat(chunks.map((c) => c.chunk)), "buffer", done);
  }

  override _final(done: Done): void {
    this.writer.close().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (error) {
      this.tcp.reset();
    } else {
      this.tcp.close().catch(() => undefined); // it ended by itself meanwhile
    }
    done(error);
  }
}
