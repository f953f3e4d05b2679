import assert from "node:assert/strict";
import { test } from "node:test";
import { setup, named } from "./rider.ts";

test("a cut link resumes at once and loses nothing", async () => {
  for (const name of ["websocket", "fetch-streaming", "long-polling"] as const) {
    const { clock, bench } = setup(named(name));
    const s = bench.open();
    await clock.pass(1000, () => s.opened);
    let want = "";
    for (let i = 0; i < 50; i++) {
      s.write(`${i},`);
      want += `${i},`;
      if (i % 2) await clock.pass(i % 5);
      bench.trunk.cut();
    }
    const start = clock.now();
    await clock.pass(10_000, () => s.text.length >= want.length);
    assert.equal(s.text, want, name);
    assert.ok(clock.now() - start < 1000, name);
  }
});

test("what is too much for a slow line at once goes through in pieces", async () => {
  for (const name of ["websocket", "fetch-streaming", "long-polling"] as const) {
    const { clock, network, bench } = setup(named(name));
    const s = bench.open();
    await clock.pass(1000, () => s.opened);
    network.faults.longest = 100_000;
    const want = "a".repeat(250_000);
    s.write(want);
    bench.trunk.cut();
    await clock.pass(60_000, () => s.text.length >= want.length);
    assert.equal(s.text.length, want.length, name);
  }
});

test("packets that an acknowledgement skips on a new link do not confuse the ids", async () => {
  const { clock, network, bench } = setup(named("websocket"));
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  network.sockets[0].onmessage = () => {}; // the proxy gets everything, its answers are lost
  const first = "a".repeat(1000);
  for (const c of first) {
    s.write(c);
    await Promise.resolve(); // each is a packet; together more than go behind RESUME
    await Promise.resolve();
  }
  await clock.pass(500);
  network.sockets[0].drop(1006);
  await clock.pass(5000, () => s.text.length === first.length);
  s.write("and more");
  await clock.pass(5000, () => s.text.length > first.length);
  await clock.pass(1000);
  assert.equal(s.text.slice(first.length), "and more");
  assert.ok(network.proxy.sessions[0].repeats > 0);
});

test("an outage shorter than the resume window is survived, a longer one is told", async () => {
  for (const [outage, survives] of [[100, true], [130, false]] as const) { // prettier-ignore
    const { clock, network, bench } = setup();
    const s = bench.open();
    await clock.pass(1000, () => s.opened);
    network.faults.down = true;
    network.sockets[0].drop(1006);
    await clock.pass(outage * 1000);
    assert.equal(bench.trunk.state, survives ? "reconnecting" : "closed");
    network.faults.down = false;
    s.write("x");
    await clock.pass(10_000, () => s.text === "x");
    assert.equal(s.text, survives ? "x" : "");
    assert.equal(s.why?.code, survives ? undefined : "session-lost");
    if (!survives) assert.ok(bench.trunk.attempts!.length > 0);
  }
});

test("when the network is said to be back the pause ends", async () => {
  const { clock, network, bench } = setup();
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  network.faults.down = true;
  network.sockets[0].drop(1006);
  await clock.pass(60_000);
  network.faults.down = false;
  bench.trunk.suspect();
  await clock.pass(50, () => bench.trunk.state === "online");
  assert.equal(bench.trunk.state, "online");
});

test("a session that the proxy does not know ends the sockets", async () => {
  for (const name of ["websocket", "fetch-streaming", "long-polling"] as const) {
    const { clock, network, bench } = setup(named(name));
    const s = bench.open();
    await clock.pass(1000, () => s.opened);
    network.proxy.sessions.length = 0; // the proxy was restarted
    bench.trunk.cut();
    await clock.pass(1000, () => s.why !== null);
    assert.deepEqual([s.why?.code, bench.gone], ["session-lost", 1], name);
  }
});

test("a displaced link does not take the session back at once", async () => {
  const { clock, network, bench } = setup(named("websocket"));
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  const links = network.proxy.sessions[0].links;
  for (let i = 0; i < 5; i++) {
    network.sockets.at(-1)!.drop(4015);
    await clock.pass(10_000, () => bench.trunk.state === "online");
  }
  assert.equal(network.proxy.sessions[0].links - links, 5);
  assert.ok(clock.now() > 1_000_000 + 10);
});
