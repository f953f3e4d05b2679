import type { Bytes } from "./bytes.ts";

/** Bytes of the backend that the page has not taken yet; the socket's window bounds them. */
export class Inbox {
  private readonly chunks: Bytes[] = [];
  private discarding = false;

  /** @param consumed is told how many bytes have been taken */
  constructor(private readonly consumed: (n: number) => void) {}

  get empty(): boolean {
    return this.chunks.length === 0;
  }

  push(data: Bytes): void {
    if (this.discarding) this.consumed(data.length);
    else this.chunks.push(data);
  }

  /** The next bytes, at most max. Call done when they have been used. */
  take(max = Infinity): Bytes | null {
    const chunk = this.chunks[0];
    if (!chunk) return null;
    if (chunk.length <= max) {
      this.chunks.shift();
      return chunk;
    }
    this.chunks[0] = chunk.subarray(max);
    return chunk.subarray(0, max);
  }

  done(data: Bytes): void {
    this.consumed(data.length);
  }

  /** Nobody wants what is here or comes later. */
  discard(): void {
    this.discarding = true;
    for (const chunk of this.chunks.splice(0)) this.consumed(chunk.length);
  }
}
