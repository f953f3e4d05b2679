import assert from "node:assert/strict";
import { test } from "node:test";
import { Liveness } from "../src/liveness.ts";
import { VirtualClock } from "./clock.ts";
import { setup, named } from "./rider.ts";

test("silence alone is no reason to probe a stream again and again", async () => {
  const { clock, network, bench } = setup(named("fetch-streaming"));
  network.proxy.refuse = null;
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  network.proxy.muxes[0].say = () => {}; // the backend never answers
  const before = network.requests.length;
  s.write("x");
  await clock.pass(15_000);
  assert.ok(network.requests.length - before <= 3, network.requests.slice(before).join());
  assert.equal(bench.trunk.state, "online");
});

test("links that are cut when silent lead to shorter silences, and the page sees only resumes", async () => {
  const { clock, network, bench } = setup(named("long-polling"));
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  for (let i = 0; i < 4; i++) {
    await clock.pass(10_000);
    network.faults.down = true;
    network.proxy.sessions[0].downlink?.end(15);
    await clock.pass(5);
    network.faults.down = false;
    await clock.pass(3000, () => bench.trunk.state === "online");
  }
  s.write("x");
  await clock.pass(1000, () => s.text === "x");
  assert.equal(s.text, "x");
  assert.equal(s.why, null);
});

test("a dead link is found by a probe when there is doubt, or when it is silent for longer than agreed", async () => {
  for (const [doubt, limit] of [[true, 3500], [false, 30_500]] as const) { // prettier-ignore
    const { clock, network, bench } = setup(named("websocket"));
    const s = bench.open();
    await clock.pass(1000, () => s.opened);
    await clock.pass(3000);
    network.faults.webSocket = "mute";
    const start = clock.now();
    if (doubt) bench.trunk.suspect();
    await clock.pass(60_000, () => bench.trunk.state === "reconnecting");
    assert.ok(clock.now() - start <= limit, `${clock.now() - start} ms`);
    network.faults.webSocket = "ok";
    await clock.pass(10_000, () => bench.trunk.state === "online");
    assert.equal(bench.trunk.state, "online");
  }
});

test("a probe waits for what is under way in front of it, but not for megabytes", async () => {
  for (const [inFlight, limit] of [[0, 3000], [64 * 1024, 3000 + 4096], [2048 * 1024, 3000 + 16_384]] as const) { // prettier-ignore
    const clock = new VirtualClock();
    const start = clock.now();
    let end = 0;
    const liveness = new Liveness(clock, { probe() {}, keepAlive() {}, inFlight: () => inFlight, dead: () => void (end = clock.now()) });
    liveness.start(25, false, true);
    liveness.suspect();
    await clock.pass(200_000, () => end > 0);
    assert.equal(end - start, limit);
  }
});

test("a living link answers the probe and stays", async () => {
  for (const name of ["websocket", "fetch-streaming", "long-polling"] as const) {
    const { clock, network, bench } = setup(named(name));
    const s = bench.open();
    await clock.pass(1000, () => s.opened);
    bench.trunk.suspect();
    await clock.pass(5000);
    assert.deepEqual(bench.states, ["online"], name);
    assert.equal(network.proxy.sessions[0].links <= 4, true);
  }
});

test("after sleep the link is probed, not declared dead", async () => {
  const { clock, network, bench } = setup(named("websocket"));
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  await clock.pass(2000);
  clock.sleep(3_600_000);
  await clock.pass(20_000);
  assert.deepEqual(bench.states, ["online"]);
  network.faults.webSocket = "mute";
  clock.sleep(3_600_000);
  await clock.pass(14_000, () => bench.trunk.state === "reconnecting");
  assert.equal(bench.trunk.state, "reconnecting");
});

test("a wall clock that jumps costs at most a probe", async () => {
  for (const name of ["websocket", "fetch-streaming", "long-polling"] as const) {
    const { clock, network, bench } = setup(named(name));
    const s = bench.open();
    await clock.pass(1000, () => s.opened);
    let sent = "";
    for (const ms of [3_600_000, -3_600_000, 86_400_000, -86_400_000]) {
      clock.sleep(ms);
      s.write(`${ms} `);
      sent += `${ms} `;
      await clock.pass(30_000);
      assert.equal(s.text, sent, name);
    }
    assert.deepEqual(bench.states, ["online"], name);
    assert.equal(network.proxy.sessions.length, 1, name);
  }
});
