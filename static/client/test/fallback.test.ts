import assert from "node:assert/strict";
import { test } from "node:test";
import { setup, Bench, named } from "./rider.ts";

test("a slow WebSocket takes over from the stream that was welcomed first", async () => {
  const { clock, network, bench } = setup();
  const s = bench.open();
  network.faults.webSocket = "hangs";
  await clock.pass(900, () => s.opened);
  assert.equal(bench.trunk.transport, "fetch-streaming");
  s.write("one");
  await clock.pass(100, () => s.text === "one");
  network.faults.webSocket = "ok";
  network.sockets[0].connect();
  await clock.pass(100, () => bench.trunk.transport === "websocket");
  s.write("two");
  await clock.pass(100, () => s.text === "onetwo");
  assert.deepEqual([s.text, bench.carriers, bench.states], ["onetwo", ["fetch-streaming", "websocket"], ["online"]]);
  assert.equal(network.proxy.sessions.length, 1);
  assert.equal(network.running, 0);
});

test("two openings at once make one session and send nothing twice", async () => {
  const { clock, network, bench } = setup();
  network.faults.delay = () => 400; // WELCOME over WebSocket after 1200 ms, over fetch after 1550 ms
  const s = bench.open();
  s.write("once");
  await clock.pass(10_000, () => s.text.length >= 4);
  await clock.pass(5000);
  assert.equal(s.text, "once");
  assert.equal(network.proxy.sessions.length, 1);
  assert.equal(network.proxy.muxes[0].opened.length, 1);
  assert.equal(bench.trunk.transport, "websocket");
  assert.equal(bench.trunk.state, "online");
});

test("a refused WebSocket falls back at once, and is tried again later", async () => {
  const { clock, network, bench } = setup();
  network.faults.webSocket = "refused";
  const s = bench.open();
  await clock.pass(100, () => s.opened);
  assert.equal(bench.trunk.transport, "fetch-streaming");
  network.faults.webSocket = "ok";
  await clock.pass(50_000);
  assert.equal(bench.trunk.transport, "fetch-streaming");
  await clock.pass(15_000);
  assert.equal(bench.trunk.transport, "websocket");
  assert.deepEqual(network.sockets.at(-1)!.protocols, [], "what may not get through again says nothing early");
  assert.deepEqual(bench.states, ["online"]);
});

test("what minds a message in the request for a WebSocket is found out", async () => {
  const { clock, network, bench } = setup(named("websocket"));
  network.faults.webSocket = "refused";
  const s = bench.open();
  await clock.pass(1);
  assert.equal(network.sockets[0].protocols.length, 2);
  network.faults.webSocket = "ok";
  await clock.pass(5000, () => s.opened);
  assert.ok(s.opened);
  assert.deepEqual(network.sockets[1].protocols, []);
});

test("a WebSocket that is slower than a poll is not held against it", async () => {
  const { clock, network, bench } = setup(named("websocket", "long-polling"));
  network.faults.webSocket = "unanswered";
  const s = bench.open();
  await clock.pass(5000, () => s.opened);
  assert.equal(bench.trunk.transport, "long-polling");
  network.faults.webSocket = "ok";
  await clock.pass(31_000, () => bench.trunk.transport === "websocket");
  assert.equal(bench.trunk.transport, "websocket");
});

test("a session that ends while it reconnects says so", async () => {
  const { clock, network, bench } = setup();
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  network.faults.webSocket = "unanswered";
  bench.trunk.cut();
  await clock.pass(10);
  assert.equal(network.proxy.sessions[0].closed, -1);
  (bench.trunk as unknown as { carrier: { close(): void } }).carrier.close();
  await clock.pass(10);
  assert.equal(network.proxy.sessions[0].closed, 0);
});

test("a socket is open after one round trip of its WebSocket, whatever the page has written", async () => {
  const { clock, network, bench } = setup(named("websocket"));
  network.faults.delay = () => 100;
  const s = bench.open();
  const text = "x".repeat(100_000);
  s.write(text);
  await clock.pass(210, () => s.opened);
  assert.ok(s.opened);
  const early = network.sockets[0].protocols[1].length;
  assert.ok(early > 1000 && early < 2000, `${early} characters in the request`);
  await clock.pass(1000, () => s.text.length >= text.length);
  assert.equal(s.text, text);
  bench.trunk.cut();
  s.write("again");
  await clock.pass(2000, () => s.text.length > text.length);
  assert.equal(s.text, text + "again");
  assert.equal(network.sockets[1].protocols.length, 2, "RESUME goes early too");
});

test("a WebSocket that is killed soon after it opens is given up after two kills", async () => {
  const { clock, network, bench } = setup();
  const s = bench.open();
  for (let i = 0; i < 2; i++) {
    await clock.pass(1000, () => bench.trunk.state === "online");
    await clock.pass(300);
    assert.equal(bench.trunk.transport, "websocket");
    network.sockets.at(-1)!.drop(1006);
    await clock.pass(0);
  }
  await clock.pass(1000, () => bench.trunk.state === "online");
  assert.equal(bench.trunk.transport, "fetch-streaming");
  s.write("still here");
  await clock.pass(1000, () => s.text === "still here");
  assert.equal(s.text, "still here");
  const next = new Bench(network, undefined, bench.stored); // another page of the same origin
  const t = next.open();
  await clock.pass(1000, () => t.opened);
  assert.equal(next.trunk.transport, "fetch-streaming");
});

test("a WebSocket that passes only its first answer is found out within 5 s", async () => {
  const { clock, network, bench } = setup();
  network.faults.webSocket = "mute";
  const s = bench.open();
  s.write("x");
  const start = clock.now();
  await clock.pass(20_000, () => s.text === "x");
  assert.equal(s.text, "x");
  assert.equal(bench.trunk.transport, "fetch-streaming");
  assert.ok(clock.now() - start <= 5500, `took ${clock.now() - start} ms`);
});

for (const fault of ["silent", "unanswered"] as const) {
  test(`a WebSocket that is ${fault} does not keep polls from going on`, async () => {
    const { clock, network, bench } = setup(named("websocket", "long-polling"));
    network.faults.webSocket = fault;
    const s = bench.open();
    for (let n = 1; n <= 10; n++) {
      s.write("x");
      const start = clock.now();
      await clock.pass(20_000, () => s.text.length === n);
      assert.equal(s.text.length, n);
      assert.ok(clock.now() - start <= 2000, `echo ${n} took ${clock.now() - start} ms`);
    }
    assert.equal(bench.trunk.transport, "long-polling");
    assert.deepEqual(bench.states, ["online"]);
    assert.equal(network.proxy.sessions.length, 1);
  });
}

test("a stream that is held back is left for polling within 3 s, and all streams are remembered", async () => {
  const { clock, network, bench } = setup(named("fetch-streaming", "xhr-streaming", "long-polling"));
  network.faults.streams = "held";
  const s = bench.open();
  s.write("x");
  const start = clock.now();
  await clock.pass(20_000, () => s.text === "x");
  assert.equal(bench.trunk.transport, "long-polling");
  assert.ok(clock.now() - start <= 3000, `took ${clock.now() - start} ms`);
  assert.equal(network.proxy.sessions.length, 1);
  const next = new Bench(network, named("fetch-streaming", "long-polling"), bench.stored);
  const t = next.open();
  await clock.pass(500, () => t.opened);
  assert.equal(next.trunk.transport, "long-polling");
});

test("a stream that is held back later is found out by a probe", async () => {
  const { clock, network, bench } = setup(named("fetch-streaming", "long-polling"));
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  assert.equal(bench.trunk.transport, "fetch-streaming");
  network.faults.streams = "held";
  s.write("x");
  const start = clock.now();
  await clock.pass(30_000, () => s.text === "x");
  assert.equal(s.text, "x");
  assert.equal(bench.trunk.transport, "long-polling");
  assert.ok(clock.now() - start <= 6000, `took ${clock.now() - start} ms`);
});

test("a better link that fails after it displaced the old one does not end the session", async () => {
  const { clock, network, bench } = setup();
  network.faults.webSocket = "hangs";
  const s = bench.open();
  await clock.pass(900, () => s.opened);
  assert.equal(bench.trunk.transport, "fetch-streaming");
  network.faults.webSocket = "ok";
  network.sockets[0].connect(); // says RESUME, which displaces the stream
  await clock.pass(1);
  network.sockets[0].drop(1006); // before its answer arrives
  s.write("x");
  await clock.pass(5000, () => s.text === "x");
  assert.equal(s.text, "x");
  assert.equal(bench.trunk.state, "online");
});
