import assert from "node:assert/strict";
import { test } from "node:test";
import { named, setup } from "./rider.ts";

async function polling() {
  const { clock, network, bench } = setup(named("long-polling"));
  const s = bench.open();
  await clock.pass(1000, () => s.opened);
  await clock.pass(2000); // the acknowledgements of the opening are through
  network.requests.length = 0;
  return { clock, network, bench, s };
}

for (const [how, later] of [
  ["at once", (f: () => void) => f()],
  ["in a promise's callback", (f: () => void) => void Promise.resolve().then(() => {}).then(f)],
] as const) {
  test(`what the page answers ${how} goes with the next poll: one request an echo`, async () => {
    const { clock, network, s } = await polling();
    let left = 20;
    s.onread = () => {
      if (left-- > 0) later(() => s.write("x"));
    };
    s.write("x");
    await clock.pass(1000, () => s.text.length === 21);
    assert.equal(s.text.length, 21);
    assert.deepEqual(network.requests.filter((r) => r === "send").length, 1, network.requests.join());
    assert.ok(network.requests.length <= 23, network.requests.join());
    assert.equal(network.proxy.sessions[0].repeats, 0);
  });
}

test("what went with a poll is not sent again while it runs, nor later", async () => {
  const { clock, network, s } = await polling();
  s.onread = () => {
    s.onread = () => {};
    network.proxy.muxes[0].silent = true;
    s.write("b");
  };
  s.write("a");
  await clock.pass(900, () => network.proxy.muxes[0].silent);
  network.requests.length = 0;
  await clock.pass(900);
  assert.equal(network.proxy.muxes[0].frames.filter((f) => f.type === "DATA").length, 2);
  await clock.pass(10_000);
  assert.ok(network.requests.length <= 2 && !network.requests.includes("send"), network.requests.join());
  assert.equal(network.proxy.sessions[0].repeats, 0);
});

test("a poll that is lost with what it carried costs no byte and doubles none", async () => {
  const { clock, network, s } = await polling();
  let left = 30;
  s.onread = () => {
    if (left-- > 0) s.write(String.fromCharCode(65 + left));
    if (left % 3 === 0) network.faults.cut = () => (network.faults.cut = () => false, true); // prettier-ignore
  };
  s.write("!");
  await clock.pass(60_000, () => s.text.length === 31);
  assert.equal(s.text, "!" + Array.from({ length: 30 }, (_, i) => String.fromCharCode(94 - i)).join(""));
});

test("what is too much for a poll goes in a request of its own", async () => {
  const { clock, network, s } = await polling();
  const large = "y".repeat(100_000);
  s.onread = () => {
    s.onread = () => {};
    s.write(large);
  };
  s.write("x");
  await clock.pass(5000, () => s.text.length === 100_001);
  assert.equal(s.text, "x" + large);
  assert.equal(network.requests.filter((r) => r === "send").length, 2, network.requests.join());
  assert.equal(network.proxy.sessions[0].repeats, 0);
});
