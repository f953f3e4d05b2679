import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBatch, readBatch } from "../src/batch.ts";
import { WireError } from "../src/cause.ts";
import { GrowingLines } from "../src/lines.ts";
import type { SessionRecord } from "../src/packet.ts";
import { type JSONUnit, recordFromJSON, recordToJSON } from "./json.ts";
import { readVectors } from "./vectors.ts";

/** Packets with their ids instead of SEQ records, which may be said once or for each packet. */
function numbered(records: SessionRecord[]): JSONUnit[] {
  const out: JSONUnit[] = [];
  let next = 0;
  for (const r of records) {
    if (r.type === "SEQ") next = r.id;
    else if (r.type === "DATA" || r.type === "END") out.push({ ...recordToJSON(r), id: next++ });
    else out.push(recordToJSON(r));
  }
  return out;
}

test("batches are parsed as in the shared vectors", () => {
  const vectors = readVectors("csp/testdata/batches.txt");
  assert.ok(vectors.length > 5);
  for (const [json, text] of vectors) {
    const want = (JSON.parse(json) as JSONUnit[]).map(recordFromJSON);
    assert.deepEqual(numbered(decodeBatch(text)), numbered(want), text);
  }
});

test("packets carry their ids", () => {
  const got = decodeBatch('[[5,0,"a"],[6,1,"_w"],[7,0,null],[9,0,"b\\u00ff"],["ack",2]]');
  assert.deepEqual(numbered(got), [
    { type: "DATA", data: "61", id: 5 },
    { type: "DATA", data: "ff", id: 6 },
    { type: "END", id: 7 },
    { type: "DATA", data: "62ff", id: 9 },
    { type: "ACK", id: 2 },
  ]);
});

test("what is no batch is refused", () => {
  for (const text of [
    "", "[", "{}", "null", "<html>", "[1]", "[[]]", '[[1,0]]', '[[0,0,"a"]]', '[[1.5,0,"a"]]', '[[-1,0,"a"]]',
    '[[1,2,"a"]]', '[["1",0,"a"]]', '[[1,0,"\\u0100"]]', '[[1,1,"+/"]]', '[[1,1,"a"]]', '[[1,1,null]]', '[["ack"]]',
    '[["ack",-1]]', '[["welcome","id",0,1]]', '[["close",1,0]]', '[["unknown"]]', '[[9007199254740992,0,"a"]]',
  ]) {
    assert.throws(() => decodeBatch(text), WireError, text);
  }
  assert.throws(() => readBatch(undefined), WireError);
  assert.throws(() => readBatch({ length: 1, 0: ["ping"] }), WireError);
});

test("lines are taken out of a growing text once, wherever it grew", () => {
  const text = '[["ack",1]]\n[]\n[[1,0,"x"]]\n[';
  for (let step = 1; step < text.length; step++) {
    const lines = new GrowingLines();
    const got: string[] = [];
    for (let n = 0; n <= text.length; n += step) got.push(...lines.take(text.slice(0, n)));
    got.push(...lines.take(text));
    assert.deepEqual(got, ['[["ack",1]]', "[]", '[[1,0,"x"]]'], `steps of ${step}`);
  }
});
