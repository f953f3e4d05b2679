import assert from "node:assert/strict";
import { test } from "node:test";
import type { EchoMux } from "./proxy.ts";
import { named, setup } from "./rider.ts";

/** All that the backend has got. */
function heard(mux: EchoMux): string {
  return mux.frames.map((f) => (f.type === "DATA" ? Buffer.from(f.data).toString() : "")).join("");
}

const each = ["websocket", "fetch-streaming", "long-polling"] as const;

test("a page that leaves takes along what it said last", async () => {
  for (const name of each) {
    const { clock, network, bench } = setup(named(name));
    const s = bench.open();
    await clock.pass(1000, () => s.opened);
    const requests = network.requests.length;
    const sent = "x".repeat(20_000);
    s.write(sent);
    bench.trunk.unload();
    assert.equal(network.requests.length, requests + 1, "it leaves in this turn");
    await clock.pass(100);
    assert.equal(heard(network.proxy.muxes[0]), sent, name);
    assert.equal(network.proxy.sessions[0].closed, 0, name);
  }
});

test("what is left behind is what does not fit into a beacon", async () => {
  const { clock, network, bench } = setup(named("websocket"));
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  network.faults.webSocket = "mute";
  for (let i = 0; i < 20; i++) {
    s.write("y".repeat(5000));
    await clock.pass(1);
  }
  bench.trunk.unload();
  await clock.pass(100);
  const n = heard(network.proxy.muxes[0]).length;
  assert.ok(n > 40_000 && n <= 48 * 1024, `${n} bytes`);
  assert.equal(network.proxy.sessions[0].closed, 0);
});

test("a packet that does not fit into a beacon does not keep the session open", async () => {
  const { clock, network, bench } = setup(named("websocket"));
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  network.faults.webSocket = "mute";
  s.write("y".repeat(64 * 1024));
  await clock.pass(50);
  bench.trunk.unload();
  await clock.pass(100);
  assert.equal(network.proxy.sessions[0].closed, 0);
});

test("a page that leaves before the proxy has answered opens and closes all the same", async () => {
  const { clock, network, bench } = setup(named("websocket"));
  network.faults.webSocket = "mute";
  const s = bench.open();
  s.write("early");
  await clock.pass(20);
  bench.trunk.unload();
  await clock.pass(100);
  assert.equal(network.proxy.sessions.length, 1);
  assert.equal(heard(network.proxy.muxes[0]), "early");
});
