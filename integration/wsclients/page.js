// What the entries of this folder share: each sets globalThis.client, an object of
// functions that the Go tests call.

/** A list of what came, which others wait for. */
export class Inbox {
  #items = [];
  #waiting = null;

  put(item) {
    this.#items.push(item);
    this.#waiting?.();
  }

  /** Waits until done(items) returns something else than undefined, and returns that. */
  async until(done) {
    for (;;) {
      const result = done(this.#items);
      if (result !== undefined) return result;
      await new Promise((resolve) => (this.#waiting = resolve));
    }
  }
}

/** The bytes of all pieces, when there are n of them. */
export function gathered(pieces, n) {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (size < n) return undefined;
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Bytes that are told apart by their place. */
export const pattern = (n, from = 0) => Uint8Array.from({ length: n }, (_, i) => ((i + from) * 2654435761) >>> 24);

/** The first place where bytes are not the pattern, or -1. */
export function difference(bytes, n) {
  const want = pattern(n);
  if (bytes.length !== n) return Math.min(bytes.length, n);
  return bytes.findIndex((byte, i) => byte !== want[i]);
}
