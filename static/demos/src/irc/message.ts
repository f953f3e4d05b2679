/** One IRC line, taken apart. */
export interface Message {
  from: string; // nick of the sender, or the server's name; "" if not said
  command: string; // upper case, or three digits
  params: string[];
}

/** Takes a line apart, without its line end. Tags are dropped. Returns null for an empty line. */
export function parse(line: string): Message | null {
  let rest = line;
  if (rest.startsWith("@")) {
    rest = rest.slice(rest.indexOf(" ") + 1 || rest.length).trimStart();
  }
  let from = "";
  if (rest.startsWith(":")) {
    const end = rest.indexOf(" ");
    const prefix = end < 0 ? rest.slice(1) : rest.slice(1, end);
    from = prefix.split(/[!@]/, 1)[0] ?? "";
    rest = end < 0 ? "" : rest.slice(end).trimStart();
  }

  const params: string[] = [];
  while (rest) {
    if (rest.startsWith(":") && params.length) {
      params.push(rest.slice(1));
      break;
    }
    const end = rest.indexOf(" ");
    params.push(end < 0 ? rest : rest.slice(0, end));
    rest = end < 0 ? "" : rest.slice(end).trimStart();
  }
  const command = params.shift();
  return command ? { from, command: command.toUpperCase(), params } : null;
}

/**
 * Writes a line without its end. The last parameter may hold spaces. Whatever
 * could start another line is taken out: texts come from an input or the network.
 */
export function format(command: string, ...params: string[]): string {
  const words = params.map((p) => p.replace(/[\r\n\0]+/g, " "));
  const last = words.pop();
  if (last === undefined) {
    return command;
  }
  const open = last === "" || last.startsWith(":") || last.includes(" ");
  return [command, ...words, open ? `:${last}` : last].join(" ");
}

/** Cuts text that comes in pieces into lines, ended by LF with or without CR. */
export class Lines {
  private rest = "";

  take(piece: string): string[] {
    const lines = (this.rest + piece).split("\n");
    this.rest = lines.pop() ?? "";
    return lines.map((line) => line.replace(/\r$/, ""));
  }
}

/**
 * Cuts a text into pieces of at most limit bytes of UTF-8, between characters and
 * if possible at a space: a server drops what is beyond 512 bytes of a line.
 */
export function pieces(text: string, limit: number): string[] {
  const found: string[] = [];
  let piece = "";
  let size = 0;
  for (const character of text) {
    const bytes = new TextEncoder().encode(character).length;
    if (size + bytes > limit) {
      const space = piece.lastIndexOf(" ");
      const cut = space > piece.length / 2 ? space : piece.length;
      found.push(piece.slice(0, cut));
      piece = piece.slice(cut).trimStart();
      size = new TextEncoder().encode(piece).length;
    }
    piece += character;
    size += bytes;
  }
  return piece ? [...found, piece] : found;
}

/** Takes out mIRC colours and the like, which this page does not show. */
export function plain(text: string): string {
  return text.replace(/\x03(\d{1,2}(,\d{1,2})?)?|[\x02\x0f\x11\x16\x1d\x1e\x1f]|\x04[0-9a-fA-F]{6}/g, "");
}

/** Whether a target names a channel. */
export const isChannel = (target: string): boolean => /^[#&+!]/.test(target);

/** Folds a name as servers compare it (RFC 1459: {}|^ are small []\~). */
export function fold(name: string): string {
  const pairs: Record<string, string> = { "[": "{", "]": "}", "\\": "|", "~": "^" };
  return name.toLowerCase().replace(/[[\]\\~]/g, (c) => pairs[c] ?? c);
}
