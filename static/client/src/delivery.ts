import type { Bytes } from "./bytes.ts";
import type { TCPSocketError } from "./error.ts";
import { Inbox } from "./inbox.ts";
import { ReadableSide } from "./readable.ts";

/** For whom bytes are delivered. */
export interface Recipient {
  /** Whether read wants bytes now. */
  wants(): boolean;
  /** Whether read gets bytes rather than text. */
  readonly binary: boolean;
  read(data: string | Bytes): void;
  /** n bytes have been used up. */
  consumed(n: number): void;
  /** Everything has been used up, and no more will come. May be called again. */
  ended(): void;
}

/**
 * Hands what the backend sends to the page: to its callbacks while it has any,
 * else to readable as it is read. What nobody wants yet waits.
 */
export class Delivery {
  /** Bytes that have arrived. */
  received = 0;
  private readonly inbox = new Inbox((n) => this.taken(n));
  private readonly decoder = new TextDecoder();
  private side: ReadableSide | null = null;
  private busy = false;
  private complete = false; // the backend has ended, or the socket is over
  private flushed = false;
  private error: TCPSocketError | undefined;

  constructor(private readonly to: Recipient) {}

  /** Whether the page has asked for the stream. */
  get usesStream(): boolean {
    return this.side !== null;
  }

  get stream(): ReadableStream<Bytes> {
    if (!this.side) {
      this.side = new ReadableSide(this.inbox);
      this.deliver();
    }
    return this.side.stream;
  }

  arrived(bytes: Bytes): void {
    this.received += bytes.length;
    this.inbox.push(bytes);
    this.deliver();
  }

  /** No more bytes will come. What is there can still be read; then the stream fails if there is an error. */
  end(error?: TCPSocketError): void {
    this.complete = true;
    this.error ??= error;
    this.deliver();
  }

  /** The page wants nothing more. */
  discard(): void {
    this.flushed = true;
    this.inbox.discard();
  }

  /** The same, and a reader is told at once. */
  close(): void {
    this.discard();
    this.side?.end();
  }

  /** Hands on what has arrived, if anyone wants it now. */
  deliver(): void {
    if (this.busy) return;
    this.busy = true;
    while (this.to.wants()) {
      const chunk = this.inbox.take();
      if (!chunk) break;
      this.read(this.to.binary ? chunk.slice() : this.decoder.decode(chunk, { stream: true }));
      this.inbox.done(chunk);
    }
    this.busy = false;
    this.side?.offer();
    this.checkEnd();
  }

  private taken(n: number): void {
    this.to.consumed(n);
    if (!this.busy) this.checkEnd();
  }

  private checkEnd(): void {
    if (!this.inbox.empty || !this.complete) return;
    this.side?.end(this.error);
    if (!this.flushed) {
      this.flushed = true;
      if (!this.to.binary) this.read(this.decoder.decode()); // an unfinished character
    }
    this.to.ended();
  }

  private read(data: string | Bytes): void {
    if (data.length > 0) this.to.read(data);
  }
}
