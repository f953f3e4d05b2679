import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "../src/cause.ts";
import { Outgoing } from "../src/outgoing.ts";
import { Session } from "../src/session.ts";
import { hex } from "./vectors.ts";

const key = new Uint8Array(16).fill(9);

function session(): { session: Session; got: string[] } {
  const got: string[] = [];
  return { session: new Session(key, { received: (d) => got.push(hex(d)) }), got };
}

const packet = (...bytes: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

test("packets are delivered once and in order, repeats are acknowledged again", () => {
  const { session: s, got } = session();
  s.accept(1, packet(1));
  s.accept(2, packet(2));
  assert.deepEqual(s.ack(), { type: "ACK", id: 2 });
  assert.equal(s.ackDue, "none");
  s.accept(1, packet(9));
  s.accept(2, packet(9));
  assert.equal(s.ackDue, "soon");
  s.accept(3, packet(3));
  assert.deepEqual(got, ["01", "02", "03"]);
  assert.equal(s.received, 3);
});

test("a gap breaks the protocol and delivers nothing", () => {
  const { session: s, got } = session();
  s.accept(1, packet(1));
  assert.throws(() => s.accept(3, packet(3)), WireError);
  assert.deepEqual(got, ["01"]);
});

test("64 KiB are acknowledged at once, small packets counting as 256 bytes", () => {
  const { session: s } = session();
  s.accept(1, new Uint8Array(64 * 1024 - 1));
  assert.equal(s.ackDue, "along");
  s.accept(2, packet(1));
  assert.equal(s.ackDue, "now");
  s.ack();
  for (let id = 3; id < 258; id++) s.accept(id, packet(1));
  assert.equal(s.ackDue, "along");
  s.accept(258, packet(1));
  assert.equal(s.ackDue, "now");
});

test("an acknowledgement goes along with what is sent once half its time is over", () => {
  const { session: s } = session();
  assert.equal(s.ripen(), false);
  s.accept(1, packet(1));
  assert.equal(s.ackDue, "soon");
  assert.equal(s.ripen(), false);
  assert.equal(s.ackDue, "along");
  s.accept(2, packet(2));
  assert.equal(s.ackDue, "along");
  s.ack();
  s.accept(3, packet(3));
  assert.equal(s.ackDue, "soon");
  assert.equal(s.ripen(), false);
  assert.equal(s.ripen(), true);
});

test("the opening is repeated with the same key until it is answered, then resumes", () => {
  const { session: s } = session();
  const first = s.opening();
  assert.deepEqual(first, { type: "NEW", version: 1, key });
  assert.deepEqual(s.opening(), first);
  s.outgoing.push(packet(1));
  s.outgoing.push(packet(2));
  assert.equal(s.welcome({ session: "node-1.abc", ack: 1, window: 60, heartbeat: 10 }, 0), true);
  assert.deepEqual([s.node, s.window, s.heartbeat, s.outgoing.acked], ["node-1", 60, 10, 1]);
  s.accept(1, packet(1));
  assert.deepEqual(s.opening(), { type: "RESUME", session: "node-1.abc", ack: 1 });
  assert.equal(s.ackDue, "none");
  assert.equal(s.welcome({ session: "node-1.other", ack: 0, window: 60, heartbeat: 10 }, 0), false);
});

test("END takes an id, and what follows is ignored", () => {
  const { session: s, got } = session();
  s.accept(1, packet(1));
  s.accept(2, null);
  s.accept(3, packet(3));
  assert.deepEqual([s.received, s.ended, got], [2, true, ["01"]]);
  assert.equal(s.over, false);
  s.outgoing.end();
  assert.equal(s.over, false);
  s.outgoing.acknowledge(1, 0);
  assert.equal(s.over, true);
});

test("packets are kept until they are acknowledged", () => {
  const out = new Outgoing();
  for (let i = 1; i <= 5; i++) out.push(packet(i));
  assert.deepEqual(out.packets(0, 1e6, 100).packets.map((p) => p![0]), [1, 2, 3, 4, 5]); // prettier-ignore
  out.acknowledge(2, 0);
  out.acknowledge(1, 0); // lower than before: nothing
  assert.deepEqual(out.packets(0, 1e6, 100), { first: 3, packets: [packet(3), packet(4), packet(5)] });
  assert.deepEqual(out.packets(5, 1e6, 100), { first: 5, packets: [packet(5)] });
  assert.deepEqual(out.packets(6, 1e6, 100), { first: 6, packets: [] });
  assert.deepEqual([out.acked, out.last, out.cost], [2, 5, 3 * 256]);
  assert.throws(() => out.acknowledge(6, 0), WireError);
});

test("a run keeps its bounds but is never empty for a large packet", () => {
  const out = new Outgoing();
  for (let i = 0; i < 4; i++) out.push(new Uint8Array(1000));
  assert.equal(out.packets(0, 10, 100).packets.length, 1);
  assert.equal(out.packets(0, 2999, 100).packets.length, 2);
  assert.equal(out.packets(0, 1e6, 3).packets.length, 3);
});

test("the bound, and turns with it, grows while acknowledgements come back fast, and not otherwise", () => {
  const room = (took: number): [number, number] => {
    const out = new Outgoing();
    let now = 0;
    for (let round = 0; round < 6; round++) {
      while (out.room() > 0) out.push(new Uint8Array(65536));
      now += took;
      out.acknowledge(out.last, now);
    }
    return [out.room(), out.turn()];
  };
  assert.deepEqual(room(50), [2048 * 1024, 256 * 1024]);
  assert.deepEqual(room(300), [1024 * 1024, 128 * 1024]);
  assert.deepEqual(room(1000), [256 * 1024, 32 * 1024]);
  const out = new Outgoing();
  while (out.room() > 0) out.push(packet(1));
  assert.equal(out.last, 1024); // 256 KiB of packets that count 256 bytes
  assert.equal(out.turn(), 0);
  out.acknowledge(1024, 1);
  out.linkLost();
  assert.equal(out.room(), 256 * 1024);
});
