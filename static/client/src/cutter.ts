import { type Bytes, ByteReader, noBytes, Short } from "./bytes.ts";

/**
 * Cuts a stream that arrives in arbitrary pieces into units. What a unit still
 * lacks is waited for; nothing is parsed again before it can be complete, so that
 * a stream of single bytes costs no more than one large piece.
 */
export class Cutter {
  private kept: Bytes = noBytes; // room; the first `used` bytes are what is left over
  private used = 0;
  private needed = 0;

  /** Whether part of a unit has arrived and the rest has not. */
  get incomplete(): boolean {
    return this.used > 0;
  }

  /**
   * Calls one for each unit in chunk. It reads from a ByteReader and returns false
   * when it could read nothing. Views it takes stay valid as long as chunk does.
   */
  feed(chunk: Bytes, one: (from: ByteReader) => void): void {
    let data = chunk;
    if (this.used > 0) {
      this.keep(chunk);
      if (this.used < this.needed) return;
      // The room is given away, since units keep views of it.
      data = this.kept.subarray(0, this.used);
      this.kept = noBytes;
      this.used = 0;
    }
    const reader = new ByteReader(data);
    while (reader.left > 0) {
      const start = reader.at;
      try {
        one(reader);
      } catch (e) {
        if (!(e instanceof Short)) throw e;
        this.needed = e.total - start;
        this.keep(data.subarray(start));
        return;
      }
    }
  }

  private keep(data: Bytes): void {
    const total = this.used + data.length;
    if (total > this.kept.length) {
      const size = this.used === 0 ? Math.max(total, Math.min(this.needed, 1 << 17)) : Math.max(total, this.kept.length * 2);
      const larger = new Uint8Array(size);
      larger.set(this.kept.subarray(0, this.used));
      this.kept = larger;
    }
    this.kept.set(data, this.used);
    this.used = total;
  }
}
