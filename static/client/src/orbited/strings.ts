import type { Bytes } from "../bytes.ts";

// A byte string has a character for each byte, none above U+00FF.

/** The byte string of bytes. */
export function stringOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

/** The bytes of a byte string. Throws for other characters. */
export function bytesOf(text: string): Bytes {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) throw new Error("a character above U+00FF is no byte");
    bytes[i] = code;
  }
  return bytes;
}

export const utf8 = {
  /** The byte string of a text. */
  encode: (text: string): string => stringOf(new TextEncoder().encode(text)),

  /** The text of a byte string, and how many bytes it took: the last character may lack some. */
  decode(text: string): [text: string, taken: number] {
    const bytes = bytesOf(text);
    const taken = bytes.length - unfinished(bytes);
    return [new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, taken)), taken];
  },
};

/** How many bytes at the end are the beginning of a character. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf8 ? 4 : 1;
      return back < length ? back : 0;
    }
  }
  return 0;
}

export const base64 = {
  encode: (text: string): string => btoa(text),
  decode: (text: string): string => atob(text),
};
