import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBase64url } from "../src/base64.ts";
import { decodeBatch } from "../src/batch.ts";
import { type Bytes, ByteWriter } from "../src/bytes.ts";
import { WireError } from "../src/cause.ts";
import { decodeRecords, encodeRecords, RecordParser } from "../src/encoding.ts";
import { appendFrame, type Frame, FrameParser } from "../src/frame.ts";
import type { SessionRecord } from "../src/packet.ts";
import { Random } from "./random.ts";

/**
 * Inputs that a seed makes: good ones come back as they were, from pieces of any size;
 * broken ones are refused with a WireError or read as something that can be written.
 * ENCKE_ROUNDS sets how many of each (default 2000), ENCKE_SEED where they begin.
 */
const rounds = Number(process.env.ENCKE_ROUNDS ?? 2000);
const seed = Number(process.env.ENCKE_SEED ?? 1);

function generate(name: string, round: (r: Random) => void): void {
  test(name, () => {
    for (let i = seed; i < seed + rounds; i++) {
      try {
        round(new Random(i));
      } catch (e) {
        throw new Error(`seed ${i}: ${e instanceof Error ? e.stack : String(e)}`);
      }
    }
  });
}

/** Numbers near the bounds of their encodings. */
function number(r: Random, low = 0): number {
  const edges = [0, 1, 127, 128, 16383, 16384, 65535, 2 ** 31, 2 ** 32, 2 ** 49, Number.MAX_SAFE_INTEGER];
  return Math.max(low, r.int(0, 1) ? edges[r.int(0, edges.length - 1)]! : r.int(0, 300));
}

function text(r: Random): string {
  const parts = ["", "a", "n0.", "ß", "€", "😀", "\u0000", "\u2028", "<", '"'];
  return Array.from({ length: r.int(0, 8) }, () => parts[r.int(0, parts.length - 1)]).join("");
}

function record(r: Random): SessionRecord {
  switch (r.int(0, 10)) {
    case 0: return { type: "NEW", version: number(r), key: r.bytes(16) };
    case 1: return { type: "RESUME", session: text(r), ack: number(r) };
    case 2: return { type: "WELCOME", session: text(r), ack: number(r), window: number(r), heartbeat: number(r) };
    case 3: return { type: "SEQ", id: number(r, 1) };
    case 4: return { type: "END" };
    case 5: return { type: "ACK", id: number(r) };
    case 6: return { type: "PING" };
    case 7: return { type: "PONG" };
    case 8: return { type: "CLOSE", cause: number(r), retry: number(r), text: text(r) };
    case 9: return { type: "NOP" };
    default: return { type: "DATA", data: r.bytes(r.int(0, 300)) };
  }
}

function frame(r: Random): Frame {
  const socket = number(r);
  switch (r.int(0, 7)) {
    case 0: return { type: "OPEN", socket, window: number(r), port: number(r), host: text(r), options: Array.from({ length: r.int(0, 3) }, () => [number(r), r.bytes(r.int(0, 9))]) };
    case 1: return { type: "OPENED", socket, window: number(r), remote: text(r), local: text(r) };
    case 2: return { type: "WINDOW", socket, n: number(r) };
    case 3: return { type: "EOF", socket };
    case 4: return { type: "CLOSE", socket };
    case 5: return { type: "RESET", socket, cause: number(r), text: text(r) };
    case 6: return { type: "GOAWAY", socket, cause: number(r), retry: number(r) };
    default: return { type: "DATA", socket, data: r.bytes(r.int(1, 300)) };
  }
}

/** Calls f with wire in pieces of random size. */
function inPieces(r: Random, wire: Bytes, f: (piece: Bytes) => void): void {
  for (let at = 0; at < wire.length; ) {
    const n = r.int(1, 40);
    f(wire.slice(at, at + n));
    at += n;
  }
}

/** The same bytes with some of them changed, left out or added. */
function broken(r: Random, wire: Bytes): Bytes {
  const out = [...wire];
  for (let n = r.int(1, 4); n > 0; n--) {
    const at = r.int(0, out.length);
    const what = r.int(0, 3);
    if (what === 0) out.splice(at, 1);
    else if (what === 1) out.splice(at, 0, r.int(0, 255));
    else if (what === 2) out[Math.min(at, out.length)] = [0, 0x7f, 0x80, 0xff][r.int(0, 3)]!;
    else out.length = at;
  }
  return new Uint8Array(out);
}

/** What f returns, or null if it refused with a WireError. */
function refusedOr<T>(f: () => T): T | null {
  try {
    return f();
  } catch (e) {
    assert.ok(e instanceof WireError, `not a WireError: ${String(e)}`);
    return null;
  }
}

const many = <T>(r: Random, make: (r: Random) => T): T[] => Array.from({ length: r.int(0, 12) }, () => make(r));

/** Copies, for records whose data are views. */
const kept = (records: SessionRecord[]) => records.map((x) => (x.type === "DATA" ? { ...x, data: x.data.slice() } : x));

generate("records come back, from pieces too", (r) => {
  const records = many(r, record);
  const wire = encodeRecords(records);
  assert.deepEqual(decodeRecords(wire), records);
  const parser = new RecordParser();
  const got: SessionRecord[] = [];
  inPieces(r, wire, (p) => got.push(...kept(parser.feed(p))));
  assert.deepEqual(got, records);
  assert.equal(parser.incomplete, false);
});

generate("broken records are refused, or are records", (r) => {
  const wire = broken(r, encodeRecords(many(r, record)));
  const whole = refusedOr(() => decodeRecords(wire));
  const parser = new RecordParser();
  const got: SessionRecord[] = [];
  const pieces = refusedOr(() => {
    inPieces(r, wire, (p) => got.push(...kept(parser.feed(p))));
    return parser.incomplete ? null : got;
  });
  assert.deepEqual(pieces, whole);
  if (!whole) return;
  const size = whole.reduce((n, x) => n + (x.type === "DATA" ? x.data.length : 0), 0);
  assert.ok(size <= wire.length && whole.length <= wire.length);
  assert.deepEqual(decodeRecords(encodeRecords(whole)), whole);
});

/** Frames with neighbouring DATA of a socket joined, for pieces may cut them. */
function joined(frames: Frame[]): unknown[] {
  const out: { type: string; socket: number; data?: number[] }[] = [];
  for (const f of frames) {
    const last = out[out.length - 1];
    if (f.type !== "DATA") out.push(f as never);
    else if (last?.type === "DATA" && last.socket === f.socket) last.data!.push(...f.data);
    else out.push({ type: "DATA", socket: f.socket, data: [...f.data] });
  }
  return out;
}

function wireOf(frames: Frame[]): Bytes {
  const out = new ByteWriter(64);
  for (const f of frames) appendFrame(out, f);
  return out.finish();
}

function framesOf(wire: Bytes, r: Random | null): Frame[] {
  const parser = new FrameParser();
  const got: Frame[] = [];
  const take = (p: Bytes) => parser.feed(p, (f) => got.push(f.type === "DATA" ? { ...f, data: f.data.slice() } : f));
  if (r) inPieces(r, wire, take);
  else take(wire);
  return got;
}

generate("frames come back, from pieces too", (r) => {
  const frames = many(r, frame);
  const wire = wireOf(frames);
  assert.deepEqual(joined(framesOf(wire, null)), joined(frames));
  assert.deepEqual(joined(framesOf(wire, r)), joined(frames));
});

generate("broken frames are refused, or are frames", (r) => {
  const wire = broken(r, wireOf(many(r, frame)));
  const whole = refusedOr(() => framesOf(wire, null));
  const pieces = refusedOr(() => framesOf(wire, r));
  assert.deepEqual(pieces && joined(pieces), whole && joined(whole));
  if (whole) assert.deepEqual(joined(framesOf(wireOf(whole), null)), joined(whole));
});

generate("batches are read or refused", (r) => {
  const data = r.bytes(r.int(0, 60));
  const base64 = Buffer.from(data).toString("base64url");
  assert.deepEqual(decodeBase64url(base64), new Uint8Array(data));
  const plain = String.fromCharCode(...data);
  const id = number(r, 1) % 2 ** 50 + 1;
  const json = JSON.stringify([[id, 0, plain], [id + 1, 1, base64], [id + 2, 0, null], ["ack", id], ["close", 1, 2, text(r)]]);
  const records = decodeBatch(json);
  assert.deepEqual(records.filter((x) => x.type === "DATA").map((x) => [...x.data]), [[...data], [...data]]);
  assert.deepEqual(decodeRecords(encodeRecords(records)), records);
  const bad = new TextDecoder().decode(broken(r, new TextEncoder().encode(json)));
  const read = refusedOr(() => decodeBatch(bad));
  if (read) assert.deepEqual(decodeRecords(encodeRecords(read)), read);
});
