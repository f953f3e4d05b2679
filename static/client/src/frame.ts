import { type ByteReader, type Bytes, ByteWriter } from "./bytes.ts";
import { WireError } from "./cause.ts";
import { Cutter } from "./cutter.ts";

/** The units of tcpsocket/PROTOCOL.md; field names are those of the shared vectors. */
export type Frame =
  | { type: "OPEN"; socket: number; window: number; port: number; host: string; options: Option[] }
  | { type: "OPENED"; socket: number; window: number; remote: string; local: string }
  | { type: "DATA"; socket: number; data: Bytes }
  | { type: "WINDOW"; socket: number; n: number }
  | { type: "EOF"; socket: number }
  | { type: "CLOSE"; socket: number }
  | { type: "RESET"; socket: number; cause: number; text: string }
  | { type: "GOAWAY"; socket: number; cause: number; retry: number };

/** Key and value of an option of OPEN. */
export type Option = [key: number, value: Bytes];

/** Keys of the options of OPEN. */
export const noDelayOption = 1; // one byte, 0 or 1
export const keepAliveOption = 2; // uvarint milliseconds, 0: off
export const addressFamilyOption = 3; // one byte, 4 or 6

const Type = {
  OPEN: 0x01, // uvarint window, uvarint port, text host, options
  OPENED: 0x02, // uvarint window, text remote, text local
  DATA: 0x03, // bytes
  WINDOW: 0x04, // uvarint n
  EOF: 0x05,
  CLOSE: 0x06,
  RESET: 0x07, // uvarint cause, text
  GOAWAY: 0x08, // uvarint cause, uvarint retry
} as const;

/** Most bytes of one DATA frame. */
export const maxFrameData = 1024 * 1024;

/** Most bytes that the head of a DATA frame takes. */
export const dataHead = 1 + 8 + 4;

const maxText = 64 * 1024;

export function appendFrame(out: ByteWriter, f: Frame): void {
  out.u8(Type[f.type]);
  out.uvarint(f.socket);
  switch (f.type) {
    case "OPEN":
      out.uvarint(f.window);
      out.uvarint(f.port);
      out.text(f.host);
      out.uvarint(f.options.length);
      for (const [key, value] of f.options) {
        out.uvarint(key);
        out.bytes(value);
      }
      break;
    case "OPENED":
      out.uvarint(f.window);
      out.text(f.remote);
      out.text(f.local);
      break;
    case "DATA":
      out.bytes(f.data);
      break;
    case "WINDOW":
      out.uvarint(f.n);
      break;
    case "RESET":
      out.uvarint(f.cause);
      out.text(f.text);
      break;
    case "GOAWAY":
      out.uvarint(f.cause);
      out.uvarint(f.retry);
      break;
  }
}

/** A frame, or the head of a DATA frame whose bytes follow. */
type Read = Exclude<Frame, { type: "DATA" }> | { type: "HEAD"; socket: number; length: number };

function readFrame(from: ByteReader): Read {
  const type = from.u8();
  const socket = from.uvarint();
  switch (type) {
    case Type.OPEN:
      return { type: "OPEN", socket, window: from.uvarint(), port: from.uvarint(), host: from.text(maxText), options: readOptions(from) };
    case Type.OPENED:
      return { type: "OPENED", socket, window: from.uvarint(), remote: from.text(maxText), local: from.text(maxText) };
    case Type.DATA: {
      const length = from.uvarint();
      if (length === 0 || length > maxFrameData) throw new WireError(`DATA frame of ${length} bytes`);
      return { type: "HEAD", socket, length };
    }
    case Type.WINDOW:
      return { type: "WINDOW", socket, n: from.uvarint() };
    case Type.EOF:
      return { type: "EOF", socket };
    case Type.CLOSE:
      return { type: "CLOSE", socket };
    case Type.RESET:
      return { type: "RESET", socket, cause: from.uvarint(), text: from.text(maxText) };
    case Type.GOAWAY:
      return { type: "GOAWAY", socket, cause: from.uvarint(), retry: from.uvarint() };
    default:
      throw new WireError(`unknown frame type ${type}`);
  }
}

function readOptions(from: ByteReader): Option[] {
  const count = from.uvarint();
  if (count > 64) throw new WireError(`${count} options`);
  const options: Option[] = [];
  for (let i = 0; i < count; i++) options.push([from.uvarint(), from.bytes(maxText)]);
  return options;
}

/**
 * Reads a stream of frames that arrives in any pieces. The bytes of a DATA frame
 * are handed out as they come, as one or more DATA frames; all other frames come
 * whole.
 */
export class FrameParser {
  private readonly cutter = new Cutter();
  private socket = 0; // whose DATA is being read
  private dataLeft = 0; // bytes of it still to come

  feed(chunk: Bytes, frame: (f: Frame) => void): void {
    this.cutter.feed(chunk, (from) => {
      if (this.dataLeft === 0) {
        const f = readFrame(from);
        if (f.type !== "HEAD") {
          frame(f);
          return;
        }
        this.socket = f.socket;
        this.dataLeft = f.length;
      }
      const n = Math.min(this.dataLeft, from.left);
      if (n === 0) return;
      this.dataLeft -= n;
      frame({ type: "DATA", socket: this.socket, data: from.raw(n) });
    });
  }
}
