// The keyed pseudo-random stream of package backend (backend/stream.go): byte p is byte
// p%4, little endian, of the mixed word p/4. It can be computed at any position, so a
// receiver checks every byte and finds out where a lost or doubled one was.

function word(key, i) {
  let x = (Math.imul(key, 0x9e3779b9) + i) | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x21f0aaad);
  x ^= x >>> 15;
  x = Math.imul(x, 0x735a2d97);
  x ^= x >>> 15;
  return x;
}

/** The n bytes of stream key from position pos on. */
export function stream(key, pos, n) {
  const bytes = new Uint8Array(n);
  for (let k = 0; k < n; ) {
    let w = word(key, Math.floor((pos + k) / 4)) >> (8 * ((pos + k) % 4));
    do {
      bytes[k++] = w;
      w >>= 8;
    } while (k < n && (pos + k) % 4 !== 0);
  }
  return bytes;
}

/** Takes the bytes of one stream as they come and throws at the first wrong one. */
export class Checker {
  received = 0;

  constructor(key, length = Infinity) {
    this.key = key;
    this.length = length;
  }

  take(bytes) {
    if (this.received + bytes.length > this.length) {
      throw new Error(`stream ${this.key}: more than ${this.length} bytes`);
    }
    const want = stream(this.key, this.received, bytes.length);
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== want[i]) {
        throw new Error(`stream ${this.key}: byte ${this.received + i} is ${bytes[i]}, want ${want[i]}`);
      }
    }
    this.received += bytes.length;
  }

  /** To be called at the end of the stream. */
  end() {
    if (this.received !== this.length) {
      throw new Error(`stream ${this.key}: ended after ${this.received} of ${this.length} bytes`);
    }
  }
}
