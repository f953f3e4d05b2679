import assert from "node:assert/strict";
import { test } from "node:test";
import { causeNumber } from "../src/cause.ts";
import { VirtualClock } from "./clock.ts";
import { Network } from "./network.ts";
import { Proxy } from "./proxy.ts";
import { setup, Bench, named } from "./rider.ts";

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

test("a page that has too many sessions asks once, waits as long as it is told, and then says limit", async () => {
  const { clock, network, bench } = setup();
  const limit = causeNumber("limit");
  network.proxy.refuse = { cause: limit, retry: 5 };
  const s = bench.open();
  await clock.pass(4900);
  assert.deepEqual(network.requests, ["ws websocket"]); // the other transports would be told the same
  await clock.pass(12_000, () => s.why !== null);
  assert.deepEqual([s.why?.code, s.why?.retry], ["limit", 5]);
  assert.ok(network.requests.length <= 3, `${network.requests.length} requests`);

  network.proxy.refuse = { cause: limit, retry: 5 };
  const t = new Bench(network).open();
  await clock.pass(100);
  network.proxy.refuse = null;
  await clock.pass(8000, () => t.opened);
  assert.equal(t.opened, true);
});

test("WebSockets that come too fast are refused, and the session opens over another transport", async () => {
  const { clock, network, bench } = setup();
  network.faults.webSocket = "refused"; // a page is not shown that it was 429
  const s = bench.open();
  s.write("x");
  await clock.pass(1000, () => s.text === "x");
  assert.equal(s.text, "x");
  assert.equal(bench.trunk.transport, "fetch-streaming");
});

test("too many connections of an address are tried again, and told as limit", async () => {
  const { clock, network, bench } = setup();
  network.faults.webSocket = "refused";
  network.faults.status = 429; // by the listener, in plain text
  const s = bench.open();
  await clock.pass(14_000);
  assert.equal(bench.trunk.state, "connecting");
  await clock.pass(3000);
  assert.deepEqual([s.why?.code, s.why?.text], ["limit", "HTTP 429: no"]);

  const t = new Bench(network).open();
  await clock.pass(3000);
  network.faults.status = 0;
  await clock.pass(6000, () => t.opened);
  assert.equal(t.opened, true);
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
