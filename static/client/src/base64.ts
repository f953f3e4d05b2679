import { type Bytes } from "./bytes.ts";
import { WireError } from "./cause.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const values: Int8Array = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i;

/** What newer engines have; not yet in the type library. */
interface FromBase64 {
  fromBase64?(s: string, options: { alphabet: "base64url" }): Bytes;
}

/** URL-safe base64 without padding. */
export function encodeBase64url(data: Uint8Array): string {
  let out = "";
  for (let i = 0; i < data.length; i += 3) {
    const bits = (data[i] << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0);
    const chars = Math.min(data.length - i, 3) + 1;
    for (let c = 0; c < chars; c++) out += alphabet[(bits >> (18 - 6 * c)) & 63];
  }
  return out;
}

/** Bytes of URL-safe base64, with padding or without. Throws WireError for anything else. */
export function decodeBase64url(text: string): Bytes {
  const native = (Uint8Array as FromBase64).fromBase64;
  if (native) {
    try {
      return native.call(Uint8Array, text, { alphabet: "base64url" });
    } catch {
      throw new WireError("wrong base64");
    }
  }
  return decodeWithTable(text);
}

/** The same without help of the engine. */
export function decodeWithTable(text: string): Bytes {
  const length = text.length - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
  if (length % 4 === 1 || (length !== text.length && text.length % 4 !== 0)) throw new WireError("wrong base64");
  const out = new Uint8Array((length * 3) >> 2);
  let bits = 0;
  for (let i = 0, at = 0; i < length; i++) {
    const value = values[text.charCodeAt(i)] ?? -1;
    if (value < 0) throw new WireError("wrong base64");
    bits = ((bits << 6) | value) & 0xffffff;
    // Every character after the first of a group of four completes a byte.
    const place = i % 4;
    if (place > 0) out[at++] = bits >> (6 - 2 * place);
  }
  return out;
}
