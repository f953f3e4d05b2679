/** Writes bytes as "48 65 6c". */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(" ");
}

/**
 * Reads bytes written in hex, with or without spaces, commas or 0x in front.
 * Throws a SyntaxError that tells what is wrong.
 */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/0x/gi, " ").replace(/[\s,:;-]+/g, "");
  const odd = /[^0-9a-f]/i.exec(digits);
  if (odd) {
    throw new SyntaxError(`"${odd[0]}" is not a hex digit`);
  }
  if (digits.length % 2) {
    throw new SyntaxError("a hex digit is missing: each byte takes two");
  }
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** Lines of 8 bytes, which fit a phone, as hex dumps have them: offset, hex, what can be printed. */
export function dump(bytes: Uint8Array, offset: number): string {
  const lines: string[] = [];
  for (let i = 0; i < bytes.length; i += 8) {
    const row = bytes.subarray(i, i + 8);
    const shown = Array.from(row, (b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : ".")).join("");
    lines.push(`${(offset + i).toString(16).padStart(4, "0")}  ${toHex(row).padEnd(23)}  ${shown}`);
  }
  return lines.join("\n");
}

/** Makes control characters visible, except line ends and tabs. */
export function visible(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f]/g, (c) => String.fromCodePoint(0x2400 + c.charCodeAt(0))).replace(/\x7f/g, "\u2421");
}
