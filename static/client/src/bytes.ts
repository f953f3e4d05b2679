import { WireError } from "./cause.ts";

/** Bytes of our own memory, never shared with another thread. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const noBytes: Bytes = new Uint8Array(0);

const encoder = new TextEncoder();

/** The largest number a uvarint may hold: 2^53-1. */
export const maxNumber = Number.MAX_SAFE_INTEGER;

/** A growing array of bytes. */
export class ByteWriter {
  private buffer: Bytes;
  length = 0;

  constructor(capacity = 64) {
    this.buffer = new Uint8Array(capacity);
  }

  u8(byte: number): void {
    this.reserve(1);
    this.buffer[this.length++] = byte;
  }

  /** Appends n, 0..2^53-1, as unsigned LEB128. */
  uvarint(n: number): void {
    this.reserve(8);
    while (n >= 0x80) {
      this.buffer[this.length++] = (n % 0x80) | 0x80;
      n = Math.floor(n / 0x80);
    }
    this.buffer[this.length++] = n;
  }

  raw(data: Uint8Array): void {
    this.reserve(data.length);
    this.buffer.set(data, this.length);
    this.length += data.length;
  }

  /** Appends a length and the bytes. */
  bytes(data: Uint8Array): void {
    this.uvarint(data.length);
    this.raw(data);
  }

  text(s: string): void {
    this.bytes(encoder.encode(s));
  }

  /** What was written; the writer must not be used afterwards. */
  finish(): Bytes {
    return this.buffer.subarray(0, this.length);
  }

  private reserve(n: number): void {
    const needed = this.length + n;
    if (needed <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}

/** Thrown by a ByteReader when the field goes beyond what has arrived. */
export class Short {
  /** @param total bytes from the reader's start that are needed at least */
  constructor(readonly total: number) {}
}

/** A cursor over bytes. Reading beyond the end throws Short, wrong fields throw WireError. */
export class ByteReader {
  constructor(
    private readonly data: Bytes,
    public at = 0,
  ) {}

  get left(): number {
    return this.data.length - this.at;
  }

  u8(): number {
    if (this.left < 1) throw new Short(this.at + 1);
    return this.data[this.at++];
  }

  uvarint(): number {
    let n = 0;
    for (let i = 0, unit = 1; i < 8; i++, unit *= 0x80) {
      const byte = this.u8();
      n += (byte & 0x7f) * unit;
      if (n > maxNumber) break;
      if (byte < 0x80) return n;
    }
    throw new WireError("number above 2^53-1");
  }

  /** A view of the next n bytes. */
  raw(n: number): Bytes {
    if (this.left < n) throw new Short(this.at + n);
    this.at += n;
    return this.data.subarray(this.at - n, this.at);
  }

  /** A length of at most max, and a view of that many bytes. */
  bytes(max: number): Bytes {
    const n = this.uvarint();
    if (n > max) throw new WireError(`field of ${n} bytes, allowed are ${max}`);
    return this.raw(n);
  }

  text(max: number): string {
    return new TextDecoder().decode(this.bytes(max));
  }
}
