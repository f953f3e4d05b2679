import { decodeBase64url } from "./base64.ts";
import { type Bytes } from "./bytes.ts";
import { WireError } from "./cause.ts";
import type { SessionRecord } from "./packet.ts";

/** The records of one batch of the text encoding (csp/PROTOCOL.md section 4). */
export function decodeBatch(text: string): SessionRecord[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new WireError("batch is not JSON");
  }
  return readBatch(value);
}

/** The same from a value that a script or a message delivered parsed. */
export function readBatch(batch: unknown): SessionRecord[] {
  if (!Array.isArray(batch)) throw new WireError("batch is not an array");
  const records: SessionRecord[] = [];
  let next = 0; // the id that needs no SEQ
  for (const item of batch as unknown[]) {
    if (!Array.isArray(item)) throw new WireError("item is not an array");
    const fields = item as unknown[];
    if (typeof fields[0] === "string") {
      records.push(readControl(fields));
      continue;
    }
    const id = whole(fields[0]);
    if (id === 0) throw new WireError("packet id 0");
    if (id !== next) records.push({ type: "SEQ", id });
    next = id + 1;
    records.push(readPacket(fields));
  }
  return records;
}

function readPacket(fields: unknown[]): SessionRecord {
  const [, encoding, data] = fields;
  if (encoding === 0 && data === null) return { type: "END" };
  if (typeof data !== "string") throw new WireError("packet without data");
  if (encoding === 0) return { type: "DATA", data: latin1(data) };
  if (encoding === 1) return { type: "DATA", data: decodeBase64url(data) };
  throw new WireError("unknown packet encoding");
}

function readControl(fields: unknown[]): SessionRecord {
  switch (fields[0]) {
    case "ack":
      return { type: "ACK", id: whole(fields[1]) };
    case "welcome":
      return {
        type: "WELCOME",
        session: text(fields[1]),
        ack: whole(fields[2]),
        window: whole(fields[3]),
        heartbeat: whole(fields[4]),
      };
    case "ping":
      return { type: "PING" };
    case "pong":
      return { type: "PONG" };
    case "close":
      return { type: "CLOSE", cause: whole(fields[1]), retry: whole(fields[2]), text: text(fields[3]) };
    default:
      throw new WireError("unknown item");
  }
}

function whole(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new WireError("no whole number");
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new WireError("no text");
}

/** Each character is one byte. */
function latin1(s: string): Bytes {
  const out = new Uint8Array(s.length);
  for (let i = 0; i < s.length; i++) {
    const code = s.charCodeAt(i);
    if (code > 0xff) throw new WireError("character above U+00FF in plain data");
    out[i] = code;
  }
  return out;
}
