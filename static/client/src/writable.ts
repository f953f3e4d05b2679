import type { Bytes } from "./bytes.ts";
import type { Socket } from "./socket.ts";

/** Bytes of the page's own, copied, so that it may change its buffer. Throws TypeError for anything else. */
export function copyBytes(data: unknown): Bytes {
  if (data instanceof ArrayBuffer) return new Uint8Array(data.slice(0));
  if (ArrayBuffer.isView(data)) {
    const copy = new Uint8Array(data.byteLength);
    copy.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return copy;
  }
  throw new TypeError("bytes must be an ArrayBuffer or a view of one");
}

/**
 * The writable stream of a socket. A write is done when its bytes are within the
 * window and have their turn; closing is the half-close, aborting the reset.
 */
export class WritableSide {
  readonly stream: WritableStream<BufferSource>;
  private controller!: WritableStreamDefaultController;
  private inStream = 0; // bytes that the stream has and the socket has not
  private waiting: { ready: () => boolean; resolve: () => void; reject: (e: Error) => void } | null = null;
  private drained: (() => void) | null = null;

  /** @param ended is called when the page closes the stream */
  constructor(
    private readonly socket: Socket,
    highWater: number,
    private readonly ended: () => void,
  ) {
    this.stream = new WritableStream<BufferSource>(
      {
        start: (controller) => {
          this.controller = controller;
        },
        write: (chunk) => this.write(chunk),
        close: () => this.close(),
        abort: () => socket.reset(),
      },
      { highWaterMark: highWater, size: (chunk) => this.arrived(chunk) },
    );
  }

  /** Bytes written that the socket has not got yet. */
  get pending(): number {
    return this.inStream;
  }

  /** Calls done when everything written so far has gone to the socket. */
  drain(done: () => void): void {
    if (this.inStream === 0) done();
    else this.drained = done;
  }

  /** The socket has sent something. */
  moved(): void {
    if (!this.waiting?.ready()) return;
    this.waiting.resolve();
    this.waiting = null;
  }

  /** The socket is over. */
  end(error: Error): void {
    this.inStream = 0;
    this.waiting?.reject(error);
    this.waiting = null;
    this.controller.error(error);
  }

  /** The stream asks for the size of each chunk when it is written. */
  private arrived(chunk: BufferSource | undefined): number {
    const size = chunk && chunk.byteLength > 0 ? chunk.byteLength : 0;
    if (!this.drained) this.inStream += size;
    return size;
  }

  private write(chunk: BufferSource): Promise<void> | undefined {
    const data = copyBytes(chunk);
    if (this.drained && data.length > this.inStream) throw new TypeError("the socket is closing");
    this.inStream -= data.length;
    this.socket.write(data);
    if (this.inStream === 0) {
      this.drained?.();
    }
    return this.wait(() => this.socket.accepts);
  }

  private close(): Promise<void> | undefined {
    this.ended();
    this.socket.eof();
    return this.wait(() => this.socket.queued === 0);
  }

  private wait(ready: () => boolean): Promise<void> | undefined {
    if (ready()) return undefined;
    return new Promise((resolve, reject) => {
      this.waiting = { ready, resolve, reject };
    });
  }
}
