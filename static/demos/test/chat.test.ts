import assert from "node:assert/strict";
import test from "node:test";

import * as wire from "../src/chat/message.ts";
import { Tally } from "../src/chat/tally.ts";

const message: wire.Message = { author: "a1", n: 12, nick: "Biela", text: "häh? <b>", at: 1_000 };

test("message: what is read is what was written", () => {
  const topic = wire.messageTopic("lobby", message);
  assert.equal(topic, "encke-demo/room/lobby/a1/2");
  assert.deepEqual(wire.parseMessage("lobby", topic, wire.encodeMessage(message)), message);
});

test("message: what is not of this shape is none", () => {
  const topic = "encke-demo/room/lobby/a1/2";
  for (const payload of ["", "{", "null", "[]", "{}", '{"n":0,"nick":"a","text":"b","at":1}', '{"n":1.5,"nick":"a","text":"b","at":1}', '{"n":1,"nick":7,"text":"b","at":1}']) {
    assert.equal(wire.parseMessage("lobby", topic, payload), null, payload);
  }
  for (const other of ["encke-demo/room/comets/a1/2", "encke-demo/room/lobby/a1", "encke-demo/room/lobby/a1/2/3", "x/room/lobby/a1/2"]) {
    assert.equal(wire.parseMessage("lobby", other, wire.encodeMessage(message)), null, other);
  }
});

test("presence: an empty payload, or a last will, is someone who left", () => {
  const me: wire.Presence = { id: "a1", nick: "Biela", room: "lobby" };
  assert.deepEqual(wire.parsePresence(wire.whoTopic("a1"), wire.encodePresence(me)), { id: "a1", presence: me });
  for (const left of ["", wire.gone]) {
    assert.deepEqual(wire.parsePresence(wire.whoTopic("a1"), left), { id: "a1", presence: null }, left);
  }
  assert.equal(wire.parsePresence("encke-demo/room/lobby/a1/2", ""), null);
});

test("tally: gaps are lost, repeats are doubled, kept ones are neither", () => {
  const tally = new Tally();
  tally.kept("a", 9);
  tally.kept("a", 7);
  tally.live("a", 10);
  tally.live("b", 41);
  assert.deepEqual([tally.received, tally.lost, tally.doubled], [2, 0, 0]);
  tally.live("b", 44);
  tally.live("a", 10);
  assert.deepEqual([tally.received, tally.lost, tally.doubled], [3, 2, 1]);
  tally.forget();
  tally.live("b", 99);
  assert.deepEqual([tally.received, tally.lost, tally.doubled], [4, 2, 1]);
});
