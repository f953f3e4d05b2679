import assert from "node:assert/strict";
import { test } from "node:test";
import { setup, named } from "./rider.ts";

for (const name of ["websocket", "fetch-streaming", "long-polling"] as const) {
  test(`${name}: opens, echoes, half-closes and ends the idle session`, async () => {
    const { clock, network, bench } = setup(named(name));
    const s = bench.open();
    s.write("hello");
    await clock.pass(1000, () => s.text === "hello");
    assert.equal(s.text, "hello");
    assert.equal(s.opened, true);
    assert.deepEqual([bench.states, bench.carriers], [["online"], [name]]);
    s.socket.eof();
    await clock.pass(1000, () => s.why !== null);
    assert.deepEqual([s.ended, s.why?.code], [true, "closed"]);
    await clock.pass(4000);
    assert.equal(network.proxy.sessions[0].closed, -1);
    await clock.pass(2000);
    assert.equal(network.proxy.sessions[0].closed, 0);
    assert.equal(bench.trunk.state, "closed");
    await clock.pass(100);
    assert.equal(network.running, 0);
  });
}

test("the first frames ride on the first request, also with data", async () => {
  const { clock, network, bench } = setup(named("fetch-streaming"));
  const s = bench.open();
  s.write("early");
  await clock.pass(1000, () => s.text === "early");
  assert.deepEqual(network.requests.filter((r) => r !== "send"), ["fetch-streaming"]); // prettier-ignore
  assert.ok(network.requests.length <= 2, network.requests.join());
});

test("uploads merge while a request is in flight, and never more than two run", async () => {
  const { clock, network, bench } = setup(named("fetch-streaming"));
  network.faults.delay = () => 20;
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  for (let i = 0; i < 50; i++) {
    s.write(`${i},`);
    await clock.pass(1);
  }
  await clock.pass(2000, () => s.text.endsWith("49,"));
  assert.equal(s.text, Array.from({ length: 50 }, (_, i) => `${i},`).join(""));
  assert.ok(network.requests.filter((r) => r === "send").length <= 4, network.requests.join());
  assert.equal(network.mostRunning, 2);
});

test("the proxy's CLOSE ends the sockets with its cause", async () => {
  for (const name of ["websocket", "fetch-streaming", "long-polling"] as const) {
    const { clock, network, bench } = setup(named(name));
    const s = bench.open();
    await clock.pass(1000, () => s.opened);
    network.proxy.sessions[0].close(12);
    await clock.pass(1000, () => s.why !== null);
    assert.equal(s.why?.code, "going-away", name);
  }
});

test("the end of the session is no clean end of a socket that had not ended", async () => {
  for (const end of ["CLOSE", "END"] as const) {
    const { clock, network, bench } = setup(named("websocket"));
    const s = bench.open();
    await clock.pass(1000, () => s.opened);
    if (end === "CLOSE") network.proxy.sessions[0].close(0);
    else network.proxy.sessions[0].finish();
    await clock.pass(1000, () => s.why !== null);
    assert.equal(s.why?.code, "session-lost", end);
  }
});

test("GOAWAY: the trunk takes no new sockets, the old ones go on", async () => {
  const { clock, network, bench } = setup();
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  network.proxy.muxes[0].say({ type: "GOAWAY", socket: 0, cause: 12, retry: 0 });
  await clock.pass(100);
  assert.deepEqual([bench.trunk.takesSockets, bench.gone], [false, 1]);
  s.write("x");
  await clock.pass(100, () => s.text === "x");
  assert.equal(s.text, "x");
  s.socket.close();
  await clock.pass(100);
  assert.equal(bench.trunk.state, "closed");
});

test("what breaks the protocol ends the session on both sides", async () => {
  const { clock, network, bench } = setup();
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  network.proxy.sessions[0].downlink!.send([{ type: "ACK", id: 1000 }]);
  await clock.pass(100);
  assert.equal(s.why?.code, "protocol-error");
  assert.equal(network.proxy.sessions[0].closed, 14);
});

test("the details tell packets, acknowledgements and links, only to those who listen", async () => {
  const { clock, bench } = setup(named("websocket"));
  const s = bench.open();
  await clock.pass(100, () => s.opened);
  assert.equal(bench.details.length, 0);
  bench.trunk.watchers.add(bench);
  s.write("x");
  await clock.pass(2000);
  bench.trunk.cut();
  await clock.pass(1000, () => bench.trunk.state === "online");
  const kinds = new Set(bench.details.map((d) => d.kind));
  assert.deepEqual([...kinds].sort(), ["ack-received", "ack-sent", "cut", "packet-received", "packet-sent", "resume"]);
  assert.ok(bench.details.every((d) => d.transport === "websocket"));
});

test("what is sent takes an acknowledgement along twice a second, and none goes by itself", async () => {
  const { clock, bench } = setup(named("websocket"));
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  bench.trunk.watchers.add(bench);
  for (let i = 0; i < 100; i++) {
    s.write("x");
    await clock.pass(100); // the answer comes
  }
  const sent = bench.details.filter((d) => d.kind === "ack-sent" || d.kind === "packet-sent");
  const acks = sent.flatMap((d, i) => (d.kind === "ack-sent" ? [i] : []));
  assert.ok(acks.length >= 10 && acks.length <= 25, `${acks.length} acknowledgements in 10 s`);
  assert.ok(acks.every((i) => sent[i + 1]?.kind === "packet-sent"), "an acknowledgement went by itself");
});
