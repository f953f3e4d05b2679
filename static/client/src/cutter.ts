import { type Bytes, ByteReader, noBytes, Short } from "./bytes.ts";

/**
 * Cuts a stream that arrives in arbitrary pieces into units. What a unit still
 * lacks is waited for; nothing is parsed again before as much has come as it is
 * known to need, so that a stream of single bytes costs little more than one large piece.
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
   * Calls one for each unit in chunk, with a reader that begins there. Views it takes
   * stay valid as long as chunk does.
   */
  feed(chunk: Bytes, one: (from: ByteReader) => void): void {
    const reader = new ByteReader(chunk);
    while (this.used > 0) {
      this.keep(reader.raw(Math.min(this.needed - this.used, reader.left)));
      if (this.used < this.needed) return;
      const { kept, used } = this;
      this.kept = noBytes; // given away, since units keep views of it
      this.used = 0;
      if (this.read(new ByteReader(kept.subarray(0, used)), one)) break;
      this.kept = kept; // more of it is needed than was known
      this.used = used;
    }
    while (reader.left > 0) {
      const start = reader.at;
      if (this.read(reader, one)) continue;
      this.keep(chunk.subarray(start));
      return;
    }
  }

  /** Whether one could read a unit; else sets how many bytes of it are needed. */
  private read(from: ByteReader, one: (from: ByteReader) => void): boolean {
    const start = from.at;
    try {
      one(from);
      return true;
    } catch (e) {
      if (!(e instanceof Short)) throw e;
      this.needed = e.total - start;
      return false;
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
