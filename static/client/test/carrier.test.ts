import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "./clock.ts";
import { Network, noFaults } from "./network.ts";
import { Proxy } from "./proxy.ts";
import { Bench, named } from "./rider.ts";

function setup(list = named("websocket", "fetch-streaming", "long-polling"), stored?: Map<string, string>) {
  const clock = new VirtualClock();
  const network = new Network(clock, new Proxy(clock), noFaults());
  return { clock, network, bench: new Bench(network, list, stored) };
}

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

test("a slow WebSocket takes over from the stream that was welcomed first", async () => {
  const { clock, network, bench } = setup();
  const s = bench.open();
  network.faults.webSocket = "hangs";
  await clock.pass(900, () => s.opened);
  assert.equal(bench.trunk.transport, "fetch-streaming");
  s.write("one");
  await clock.pass(100, () => s.text === "one");
  network.faults.webSocket = "ok";
  network.sockets[0].onopen!();
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
  assert.deepEqual(bench.states, ["online"]);
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

test("a page that never reaches the proxy is told why, for each transport", async () => {
  const { clock, network, bench } = setup();
  network.faults.down = true;
  const s = bench.open();
  await clock.pass(14_000);
  assert.equal(bench.trunk.state, "connecting");
  await clock.pass(3000);
  assert.equal(s.why?.code, "no-transport");
  assert.match(s.why!.text, /no answer from the proxy at http:\/\/proxy\.test\/; is it running/);
  assert.deepEqual(bench.trunk.attempts?.map((a) => a.transport), ["websocket", "fetch-streaming", "long-polling"]); // prettier-ignore
  assert.equal(bench.trunk.attempts![0].reason, "closed before it opened (code 1006)");
  assert.match(bench.trunk.attempts![1].reason, /^network error/);
  assert.ok(network.requests.length < 60, `${network.requests.length} requests`);
});

for (const [status, text] of [
  [403, /does not accept pages of the origin .*start it with --origin/],
  [421, /does not accept requests for the host name proxy\.test; start it with --host proxy\.test/],
  [404, /does not serve this client \(HTTP 404: no\); is the proxy's address right/],
] as const) {
  test(`HTTP ${status} is told at once with what to do`, async () => {
    const { clock, network, bench } = setup();
    network.faults.webSocket = "refused";
    network.faults.status = status;
    const s = bench.open();
    await clock.pass(1000);
    assert.equal(s.why?.code, "no-transport");
    assert.match(s.why!.text, text);
    assert.equal(bench.trunk.attempts![1].reason, `HTTP ${status}: no`);
    assert.deepEqual(network.requests, ["ws websocket", "fetch-streaming", "long-polling"]);
  });
}

test("HTTP 502 is the network's doing and is tried again", async () => {
  const { clock, network, bench } = setup();
  network.faults.webSocket = "refused";
  network.faults.status = 502;
  const s = bench.open();
  await clock.pass(3000);
  assert.equal(s.why, null);
  network.faults.status = 0;
  await clock.pass(6000, () => s.opened);
  assert.equal(s.opened, true);
});

test("a proxy that is going away is believed, unless it says when it is back", async () => {
  const { clock, network, bench } = setup(named("websocket", "fetch-streaming"));
  network.proxy.refuse = { cause: 12, retry: 60 };
  const s = bench.open();
  await clock.pass(1000);
  assert.deepEqual([s.why?.code, s.why?.retry], ["going-away", 60]);

  network.proxy.refuse = { cause: 12, retry: 3 };
  const again = new Bench(network, named("websocket", "fetch-streaming"));
  const t = again.open();
  await clock.pass(2900);
  const asked = network.requests.length;
  assert.equal(t.why, null);
  network.proxy.refuse = null;
  await clock.pass(3000, () => t.opened);
  assert.equal(t.opened, true);
  assert.ok(asked <= 4, `${asked} requests`);
});

test("no usable transport at all is told at once", async () => {
  const clock = new VirtualClock();
  const network = new Network(clock, new Proxy(clock));
  const bench = new Bench(network, named("eventsource", "jsonp"));
  const s = bench.open();
  await clock.pass(10);
  assert.equal(s.why?.code, "no-transport");
  assert.deepEqual(bench.trunk.attempts, [
    { transport: "eventsource", reason: "no EventSource here" },
    { transport: "jsonp", reason: "no document here" },
  ]);
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

test("a better link that fails after it displaced the old one does not end the session", async () => {
  const { clock, network, bench } = setup();
  network.faults.webSocket = "hangs";
  const s = bench.open();
  await clock.pass(900, () => s.opened);
  assert.equal(bench.trunk.transport, "fetch-streaming");
  network.faults.webSocket = "ok";
  network.sockets[0].onopen!(); // says RESUME, which displaces the stream
  await clock.pass(1);
  network.sockets[0].drop(1006); // before its answer arrives
  s.write("x");
  await clock.pass(5000, () => s.text === "x");
  assert.equal(s.text, "x");
  assert.equal(bench.trunk.state, "online");
});

test("a dead link is found by a probe when there is doubt, else by its silence", async () => {
  for (const [doubt, limit] of [[true, 3500], [false, 46_000]] as const) { // prettier-ignore
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

test("a page of another origin is told soon that the proxy does not accept it", async () => {
  const { clock, network, bench } = setup();
  const g = globalThis as { location?: unknown };
  g.location = { origin: "https://page.test" };
  network.faults.webSocket = "refused";
  network.faults.hidden = true; // the browser hides the answers
  const s = bench.open();
  await clock.pass(3000);
  delete g.location;
  assert.match(s.why?.text ?? "", /does not accept pages of the origin https:\/\/page\.test; start it with --origin https:\/\/page\.test/);
});

test("a proxy that was away for a moment is not taken for one that refuses the page", async () => {
  const { clock, network, bench } = setup();
  const g = globalThis as { location?: unknown };
  g.location = { origin: "https://page.test" };
  network.faults.down = true;
  const s = bench.open();
  await clock.pass(3000);
  network.faults.down = false;
  await clock.pass(6000, () => s.opened);
  delete g.location;
  assert.equal(s.opened, true);
});
