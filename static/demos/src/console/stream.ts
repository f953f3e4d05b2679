import { Checker, records, recordSize } from "./records.ts";

/** Milliseconds between two pieces of a stream with a rate. */
const beat = 50;

/** Most bytes written in one piece, and most that may be on their way at full speed. */
const pieceLimit = 64 * 1024;
const awayLimit = 4 * 1024 * 1024;

/** Writes bytes to the socket; done when the socket has room again. */
type Write = (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;

/**
 * A steady stream of records to an echo server, checked when it comes back.
 * Start it with run(), hand everything received to back().
 */
export class Stream {
  readonly checker = new Checker();
  sent = 0; // bytes
  received = 0; // bytes
  cuts = 0;

  private stopping = false;
  private wake: () => void = () => undefined;

  /** rate is in bytes per second; 0 sends as fast as the socket takes bytes. */
  constructor(private readonly write: Write, private readonly rate: number) {}

  /** Sends until stop(), then waits for the rest to come back. Rejects when a write does. */
  async run(): Promise<void> {
    const start = performance.now();
    while (!this.stopping) {
      const due = this.rate ? ((performance.now() - start + beat) / 1000) * this.rate - this.sent : pieceLimit;
      const count = Math.floor(Math.min(due, pieceLimit) / recordSize);
      if (count > 0) {
        const piece = records(this.sent / recordSize, count);
        this.sent += piece.length;
        await this.write(piece);
      }
      await this.pause();
    }
    while (this.received < this.sent) {
      await this.more();
    }
  }

  back(bytes: Uint8Array): void {
    this.received += bytes.length;
    this.checker.take(bytes);
    this.wake();
  }

  /** Stops sending; run() goes on until everything is back. */
  stop(): void {
    this.stopping = true;
    this.wake();
  }

  /** Whether everything that was sent came back, once, unchanged and in order. */
  get intact(): boolean {
    const { good, lost, doubled, altered } = this.checker;
    return lost === 0 && doubled === 0 && altered === 0 && good === this.sent;
  }

  /** Waits for the next beat; at full speed, until less is on its way than may be. */
  private async pause(): Promise<void> {
    if (this.rate) {
      await new Promise((resolve) => setTimeout(resolve, beat));
      return;
    }
    while (!this.stopping && this.sent - this.received >= awayLimit) {
      await this.more();
    }
  }

  /** Waits until something comes back, or stop(). */
  private more(): Promise<void> {
    return new Promise((resolve) => (this.wake = resolve));
  }
}
