import type { Bytes } from "./bytes.ts";
import type { Inbox } from "./inbox.ts";

/** The readable byte stream of a socket: it takes from the inbox only what is read. */
export class ReadableSide {
  readonly stream: ReadableStream<Bytes>;
  private controller!: ReadableByteStreamController | ReadableStreamDefaultController<Bytes>;
  private pulled: (() => void) | null = null; // a read waits for bytes
  private over = false;

  constructor(private readonly inbox: Inbox) {
    const source = {
      start: (controller: ReadableByteStreamController | ReadableStreamDefaultController<Bytes>) => {
        this.controller = controller;
      },
      pull: () => new Promise<void>((resolve) => {
        this.pulled = resolve;
        this.offer();
      }), // prettier-ignore
      cancel: () => {
        this.over = true;
        inbox.discard();
      },
    };
    this.stream = makeStream(source);
  }

  /** There may be bytes in the inbox. */
  offer(): void {
    if (!this.pulled || this.over) return;
    const view = "byobRequest" in this.controller ? this.controller.byobRequest?.view : null;
    const data = this.inbox.take(view ? view.byteLength : Infinity);
    if (!data) return;
    const resolve = this.pulled;
    this.pulled = null;
    if (view) {
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(data);
      (this.controller as ReadableByteStreamController).byobRequest!.respond(data.length);
    } else {
      this.controller.enqueue(data.slice()); // the stream takes the memory away
    }
    this.inbox.done(data);
    resolve();
  }

  /** No more bytes will come; the inbox is empty. */
  end(error?: Error): void {
    if (this.over) return;
    this.over = true;
    if (error) {
      this.controller.error(error);
    } else {
      this.controller.close();
      if ("byobRequest" in this.controller) this.controller.byobRequest?.respond(0);
    }
    this.pulled?.();
    this.pulled = null;
  }
}

interface Source {
  start(controller: ReadableByteStreamController | ReadableStreamDefaultController<Bytes>): void;
  pull(): Promise<void>;
  cancel(): void;
}

/** A byte stream, or where the browser has none, a stream that can not read into the page's own buffers. */
function makeStream(source: Source): ReadableStream<Bytes> {
  try {
    return new ReadableStream({ ...source, type: "bytes" }) as ReadableStream<Bytes>;
  } catch {
    return new ReadableStream<Bytes>(source, { highWaterMark: 0 });
  }
}
