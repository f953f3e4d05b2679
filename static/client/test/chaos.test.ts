import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransportName } from "../src/link.ts";
import { VirtualClock } from "./clock.ts";
import { Network } from "./network.ts";
import { Proxy } from "./proxy.ts";
import { Random } from "./random.ts";
import { Bench, named, type Stream } from "./rider.ts";

/**
 * Sends random bytes on some sockets to an echo, over a network that delays, cuts
 * answers into pieces, breaks connections at random and loses answers after the
 * proxy has acted on the request. Every byte must come back once and in order.
 */
async function run(seed: number, names: TransportName[]): Promise<{ repeats: number; cuts: number }> {
  const random = new Random(seed);
  Math.random = random.next; // the pauses between attempts as well
  const clock = new VirtualClock();
  const proxy = new Proxy(clock);
  let cuts = 0;
  let calm = false;
  const roughness = random.next() * 0.08;
  const slow = random.int(0, 40);
  const largest = random.int(0, 1) ? random.int(1, 12) : 1 << 16;
  const network = new Network(clock, proxy, {
    delay: () => random.int(0, slow),
    piece: () => random.int(1, largest),
    longest: Infinity,
    cut: () => !calm && random.next() < roughness && ++cuts > 0,
    webSocket: "ok",
    streams: "ok",
    status: 0,
    hidden: false,
    down: false,
  });
  const bench = new Bench(network, named(...names));
  const streams: { s: Stream; sent: Uint8Array[] }[] = [];
  for (let i = random.int(1, 3); i > 0; i--) streams.push({ s: bench.open(random.int(1, 4) * 1000), sent: [] });
  for (let i = random.int(5, 40); i > 0; i--) {
    const one = streams[random.int(0, streams.length - 1)];
    const data = random.bytes(random.int(1, random.int(0, 4) ? 50 : 5000));
    one.sent.push(data);
    one.s.socket.write(data);
    if (random.int(0, 2) === 0) await clock.pass(random.int(0, 60));
    if (random.int(0, 30) === 0) bench.trunk.cut();
    if (random.int(0, 30) === 0) bench.trunk.suspect();
  }
  for (const { s } of streams) s.socket.eof();
  const done = (): boolean => streams.every(({ s }) => s.why !== null);
  await clock.pass(60_000, done);
  calm = true; // whatever is left must now come through
  await clock.pass(1_000_000, done);
  for (const { s, sent } of streams) {
    const want = Buffer.concat(sent);
    assert.equal(s.bytes.compare(want), 0, `seed ${seed}, ${names.join()}: ${s.bytes.length} of ${want.length} bytes, ${s.why?.code} ${s.why?.text}`);
    assert.equal(s.why?.code, "closed", `seed ${seed}, ${names.join()}`);
  }
  assert.equal(proxy.muxes.reduce((n, m) => n + m.opened.length, 0), streams.length, `seed ${seed}: sockets opened`); // prettier-ignore
  return { repeats: proxy.sessions.reduce((n, s) => n + s.repeats, 0), cuts };
}

const lists: TransportName[][] = [
  ["websocket"],
  ["fetch-streaming"],
  ["long-polling"],
  ["websocket", "fetch-streaming", "long-polling"],
];

for (const names of lists) {
  test(`every byte arrives once and in order over ${names.join()}`, async () => {
    let repeats = 0;
    let cuts = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const r = await run(seed, names);
      repeats += r.repeats;
      cuts += r.cuts;
    }
    // The faults have really happened.
    assert.ok(cuts > 50, `${cuts} cuts`);
    assert.ok(repeats > 10, `${repeats} repeats`);
  });
}
