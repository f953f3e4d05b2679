import assert from "node:assert/strict";
import { test } from "node:test";
import { noBytes } from "../src/bytes.ts";
import { WireError } from "../src/cause.ts";
import { decodeRecords, encodeRecords, RecordParser } from "../src/encoding.ts";
import type { SessionRecord } from "../src/packet.ts";
import { recordFromJSON, recordToJSON } from "./json.ts";
import { hex, readVectors, unhex } from "./vectors.ts";

test("records are encoded and parsed as in the shared vectors", () => {
  const vectors = readVectors("csp/testdata/records.txt");
  assert.ok(vectors.length > 10);
  for (const [json, bytes] of vectors) {
    const want = recordFromJSON(JSON.parse(json));
    assert.equal(hex(encodeRecords([want])), bytes, json);
    assert.deepEqual(decodeRecords(unhex(bytes)).map(recordToJSON), [recordToJSON(want)], bytes);
  }
});

const some: SessionRecord[] = [
  { type: "WELCOME", session: "n1.abc", ack: 3, window: 120, heartbeat: 25 },
  { type: "SEQ", id: 2 ** 53 - 1 },
  { type: "DATA", data: new Uint8Array(300).fill(7) },
  { type: "DATA", data: noBytes },
  { type: "NOP" },
  { type: "END" },
  { type: "ACK", id: 127 },
  { type: "ACK", id: 128 },
  { type: "PING" },
  { type: "PONG" },
  { type: "CLOSE", cause: 12, retry: 300, text: "grüße" },
];

test("a stream may be cut anywhere", () => {
  const bytes = encodeRecords(some);
  for (let size = 1; size <= 40; size++) {
    const parser = new RecordParser();
    const got: SessionRecord[] = [];
    for (let i = 0; i < bytes.length; i += size) got.push(...parser.feed(bytes.slice(i, i + size)));
    assert.deepEqual(got.map(recordToJSON), some.map(recordToJSON), `pieces of ${size}`);
    assert.equal(parser.incomplete, false);
  }
});

test("data of a piece is not overwritten by later pieces", () => {
  const parser = new RecordParser();
  const bytes = encodeRecords([{ type: "DATA", data: new Uint8Array([1, 2, 3]) }, { type: "DATA", data: new Uint8Array([4, 5, 6]) }]);
  const got: SessionRecord[] = [];
  for (const byte of bytes) got.push(...parser.feed(new Uint8Array([byte])));
  assert.deepEqual(got.map((r) => (r.type === "DATA" ? hex(r.data) : r.type)), ["010203", "040506"]); // prettier-ignore
});

test("what is not in the protocol is refused", () => {
  for (const [bytes, what] of [
    ["ff", "unknown type"],
    ["3c68746d6c3e", "a page of HTML"],
    ["0400", "id 0"],
    ["04ffffffffffffffff7f", "number of more than 8 bytes"],
    ["07ffffffffffffff7f", "number above 2^53-1"],
    ["05ffffff7f", "data of 256 MiB"],
  ] as const) {
    assert.throws(() => new RecordParser().feed(unhex(bytes)), WireError, what);
  }
});

test("a cut record in a complete body is refused", () => {
  const bytes = encodeRecords(some);
  let whole = 0;
  for (let n = 1; n < bytes.length; n++) {
    try {
      decodeRecords(bytes.slice(0, n));
      whole++;
    } catch (e) {
      assert.ok(e instanceof WireError);
    }
  }
  assert.equal(whole, some.length - 1); // only cuts between records are taken
});
