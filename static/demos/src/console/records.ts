// The checked stream is made of records of 16 bytes: four that never change, the
// record's number, and eight that follow from it. So each byte tells where in the
// stream it belongs, and after damage the next whole record tells how much is
// missing or came twice.

export const recordSize = 16;
const magic = 0x456e636b; // "Enck"

/** Writes record number n at offset. */
function write(view: DataView, offset: number, n: number): void {
  view.setUint32(offset, magic);
  view.setUint32(offset + 4, n);
  view.setUint32(offset + 8, Math.imul(n ^ 0x9e3779b9, 0x85ebca6b));
  view.setUint32(offset + 12, Math.imul(n + 0x7f4a7c15, 0xc2b2ae35));
}

/** Makes count records, from number first on. */
export function records(first: number, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count * recordSize);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < count; i++) {
    write(view, i * recordSize, first + i);
  }
  return bytes;
}

/** Checks a stream of records that arrives in pieces of any size. */
export class Checker {
  good = 0; // bytes that came in their place
  lost = 0;
  doubled = 0;
  altered = 0;

  private next = 0; // number of the record that belongs here
  private stray = 0; // bytes since the last good record that belong to none
  private rest = new Uint8Array(0);
  private readonly expected = new DataView(new ArrayBuffer(recordSize));

  take(piece: Uint8Array): void {
    const bytes = new Uint8Array(this.rest.length + piece.length);
    bytes.set(this.rest);
    bytes.set(piece, this.rest.length);
    const view = new DataView(bytes.buffer);

    let at = 0;
    while (at + recordSize <= bytes.length) {
      const n = view.getUint32(at + 4);
      if (!this.isRecord(view, at, n)) {
        this.stray++;
        at++;
        continue;
      }
      if (n < this.next) {
        this.doubled += this.stray + recordSize;
        this.stray = 0;
      } else {
        this.settle((n - this.next) * recordSize - this.stray);
        this.good += recordSize;
        this.next = n + 1;
      }
      at += recordSize;
    }
    this.rest = bytes.slice(at);
  }

  /** Accounts for the distance between where a record is and where it belongs. */
  private settle(missing: number): void {
    if (missing > 0) {
      this.lost += missing;
    } else if (missing < 0) {
      this.doubled -= missing;
    } else {
      this.altered += this.stray;
    }
    this.stray = 0;
  }

  private isRecord(view: DataView, at: number, n: number): boolean {
    write(this.expected, 0, n);
    for (let i = 0; i < recordSize; i += 4) {
      if (view.getUint32(at + i) !== this.expected.getUint32(i)) {
        return false;
      }
    }
    return true;
  }
}
