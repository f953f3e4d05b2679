import { type ByteReader, type Bytes, ByteWriter } from "./bytes.ts";
import { WireError } from "./cause.ts";
import { Cutter } from "./cutter.ts";
import type { SessionRecord } from "./packet.ts";

/** Type bytes of the binary encoding (csp/PROTOCOL.md section 3). */
const Type = {
  NOP: 0x00,
  NEW: 0x01, // uvarint version, 16 bytes key
  RESUME: 0x02, // text session, uvarint ack
  WELCOME: 0x03, // text session, uvarint ack, uvarint window, uvarint heartbeat
  SEQ: 0x04, // uvarint id
  DATA: 0x05, // bytes
  END: 0x06,
  ACK: 0x07, // uvarint id
  PING: 0x08,
  PONG: 0x09,
  CLOSE: 0x0a, // uvarint cause, uvarint retry, text
} as const;

/** Bounds of what is read, in bytes; the proxy sends far less. */
const maxText = 64 * 1024;
const maxData = 4 * 1024 * 1024;

/** The records in binary, one behind the other. */
export function encodeRecords(records: readonly SessionRecord[]): Bytes {
  let size = 32;
  for (const r of records) size += r.type === "DATA" ? r.data.length + 10 : 64;
  const out = new ByteWriter(size);
  for (const r of records) appendRecord(out, r);
  return out.finish();
}

export function appendRecord(out: ByteWriter, r: SessionRecord): void {
  out.u8(Type[r.type]);
  switch (r.type) {
    case "NEW":
      out.uvarint(r.version);
      out.raw(r.key);
      break;
    case "RESUME":
      out.text(r.session);
      out.uvarint(r.ack);
      break;
    case "WELCOME":
      out.text(r.session);
      out.uvarint(r.ack);
      out.uvarint(r.window);
      out.uvarint(r.heartbeat);
      break;
    case "SEQ":
    case "ACK":
      out.uvarint(r.id);
      break;
    case "DATA":
      out.bytes(r.data);
      break;
    case "CLOSE":
      out.uvarint(r.cause);
      out.uvarint(r.retry);
      out.text(r.text);
      break;
  }
}

function readRecord(from: ByteReader): SessionRecord {
  const type = from.u8();
  switch (type) {
    case Type.NOP:
      return { type: "NOP" };
    case Type.NEW:
      return { type: "NEW", version: from.uvarint(), key: from.raw(16) };
    case Type.RESUME:
      return { type: "RESUME", session: from.text(maxText), ack: from.uvarint() };
    case Type.WELCOME:
      return { type: "WELCOME", session: from.text(maxText), ack: from.uvarint(), window: from.uvarint(), heartbeat: from.uvarint() };
    case Type.SEQ: {
      const id = from.uvarint();
      if (id === 0) throw new WireError("packet id 0");
      return { type: "SEQ", id };
    }
    case Type.DATA:
      return { type: "DATA", data: from.bytes(maxData) };
    case Type.END:
      return { type: "END" };
    case Type.ACK:
      return { type: "ACK", id: from.uvarint() };
    case Type.PING:
      return { type: "PING" };
    case Type.PONG:
      return { type: "PONG" };
    case Type.CLOSE:
      return { type: "CLOSE", cause: from.uvarint(), retry: from.uvarint(), text: from.text(maxText) };
    default:
      throw new WireError(`unknown record type ${type}`);
  }
}

/** Reads a stream of binary records that arrives in any pieces. */
export class RecordParser {
  private readonly cutter = new Cutter();

  /** The records that chunk completes. Their data are views of chunk or of our own memory. */
  feed(chunk: Bytes): SessionRecord[] {
    const records: SessionRecord[] = [];
    this.cutter.feed(chunk, (from) => records.push(readRecord(from)));
    return records;
  }

  /** Whether a record has begun and not ended: at the end of a body that is an error. */
  get incomplete(): boolean {
    return this.cutter.incomplete;
  }
}

/** The records of a complete body or message. Throws WireError if the last one is cut. */
export function decodeRecords(body: Bytes): SessionRecord[] {
  const parser = new RecordParser();
  const records = parser.feed(body);
  if (parser.incomplete) throw new WireError("record is cut");
  return records;
}
