import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../src/backoff.ts";
import { ByteReader, ByteWriter } from "../src/bytes.ts";
import { causeFromWire, causeMeaning, causeNames } from "../src/cause.ts";
import { Endpoint, normalizeBase } from "../src/endpoint.ts";
import { Hold } from "../src/hold.ts";
import type { TransportName } from "../src/link.ts";
import { Listeners } from "../src/listeners.ts";
import { Chooser } from "../src/chooser.ts";
import { Verdicts } from "../src/verdicts.ts";
import { readLines } from "./vectors.ts";
import { named } from "./rider.ts";

test("numbers of any size come back", () => {
  for (const n of [0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 48 - 1, 2 ** 53 - 1]) {
    const out = new ByteWriter(1);
    out.uvarint(n);
    const bytes = out.finish();
    assert.equal(new ByteReader(bytes).uvarint(), n);
    assert.equal(bytes.length, Math.max(1, Math.ceil(n.toString(2).length / 7)));
  }
});

test("the table of causes is that of the proxy", () => {
  const names = new Map<string, number>();
  const source = readLines("cause/cause.go").join("\n");
  for (const [, name, number] of source.matchAll(/^\t(\w+)\s+Code = (\d+)/gm)) names.set(name, Number(number));
  const texts = [...source.matchAll(/^\t(\w+):\s+"([a-z-]+)",/gm)].map(([, name, text]) => [names.get(name), text]);
  assert.ok(texts.length >= 18);
  assert.deepEqual(texts, causeNames.map((name, i) => [i, name])); // prettier-ignore
  assert.equal(causeFromWire(200), "protocol-error");
  for (const name of causeNames) assert.ok(causeMeaning[name].length > 5);
});

test("the pause is nothing at first, then random below a bound that doubles to 5 s", () => {
  const most = new Backoff(() => 1);
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map(() => most.next()), [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]); // prettier-ignore
  most.reset();
  assert.equal(most.next(), 0);
  const least = new Backoff(() => 0);
  assert.deepEqual([1, 2, 3].map(() => least.next()), [0, 0, 0]); // prettier-ignore
});

test("the silence is halved when links are cut twice in a row, down to 5 s", () => {
  const hold = new Hold();
  const cut = (ms: number): number => {
    hold.cut(ms);
    return hold.seconds;
  };
  assert.deepEqual([cut(10_000), cut(10_000), cut(10_000), cut(10_000)], [25, 12, 12, 6]);
  assert.deepEqual([cut(100), cut(100), cut(60_000), cut(60_000)], [6, 6, 6, 6]);
  hold.cut(5000);
  hold.kept(6000);
  assert.equal(cut(5000), 6);
  assert.deepEqual([cut(5000), cut(5000), cut(5000)], [5, 5, 5]);
});

test("addresses of a proxy are brought to one form", () => {
  for (const [given, where, want] of [
    ["http://a.example", undefined, "http://a.example/"],
    ["https://a.example/tcp?x=1#y", undefined, "https://a.example/tcp/"],
    ["wss://a.example/tcp/", undefined, "https://a.example/tcp/"],
    ["/tcp", "https://a.example/b/c.html", "https://a.example/tcp/"],
    ["tcp/", "https://a.example/b/c.html", "https://a.example/b/tcp/"],
  ] as const) {
    assert.equal(normalizeBase(given, where), want);
  }
  assert.throws(() => normalizeBase("ftp://a.example", undefined), TypeError);
  assert.throws(() => normalizeBase("/tcp", undefined), TypeError);
});

test("requests name the node once it is known, and downlinks how long they may be silent", () => {
  const endpoint = new Endpoint("http://a.example/tcp/");
  assert.equal(endpoint.session("send"), "http://a.example/tcp/session/send");
  assert.equal(endpoint.downlink("iframe", { d: "a&b" }), "http://a.example/tcp/session/iframe?d=a%26b&hold=25");
  assert.equal(endpoint.fresh("iframe", "x"), "http://a.example/tcp/session/iframe?d=x&n=1&hold=25");
  assert.equal(endpoint.fresh("iframe", "x"), "http://a.example/tcp/session/iframe?d=x&n=2&hold=25");
  endpoint.node = "n1";
  endpoint.hold = 6;
  assert.equal(endpoint.downlink("websocket"), "http://a.example/tcp/session/websocket?hold=6&node=n1");
});

test("listeners are counted, also those that go by themselves", () => {
  class Counting extends Listeners {
    any = (): boolean => this.has("x");
  }
  const target = new Counting();
  const f = (): void => {};
  target.addEventListener("x", f);
  target.addEventListener("x", f);
  assert.equal(target.any(), true);
  target.removeEventListener("x", f);
  assert.equal(target.any(), false);
  let seen = 0;
  target.addEventListener("x", () => seen++, { once: true });
  assert.equal(target.any(), true);
  target.dispatchEvent(new Event("x"));
  assert.deepEqual([seen, target.any()], [1, false]);
  const abort = new AbortController();
  target.addEventListener("x", f, { signal: abort.signal });
  assert.equal(target.any(), true);
  abort.abort();
  assert.equal(target.any(), false);
});

/** A chooser with a clock set by hand and a storage to look into. */
function chooser(stored = new Map<string, string>()): { choose: Chooser; time: { now: number }; stored: Map<string, string>; order: (cycle?: number) => TransportName[] } {
  const time = { now: 1_000_000 };
  const storage = { get: (k: string) => stored.get(k) ?? null, set: (k: string, v: string) => void stored.set(k, v) };
  const verdicts = new Verdicts(storage, "v", () => time.now);
  const list = named("websocket", "fetch-streaming", "xhr-streaming", "long-polling");
  const choose = new Chooser(list, verdicts, () => time.now);
  return { choose, time, stored, order: (cycle = 0) => choose.order(cycle).map((t) => t.name) };
}

const [ws, fs, , lp] = named("websocket", "fetch-streaming", "xhr-streaming", "long-polling");

test("what failed while another worked comes last, for a minute, then for ten", () => {
  const { choose, time, order } = chooser();
  choose.worked(fs, ["websocket"], false);
  assert.deepEqual(order(), ["fetch-streaming", "xhr-streaming", "long-polling", "websocket"]);
  assert.deepEqual(choose.upgrade(fs), { to: ws, wait: 60_000 });
  time.now += 60_001;
  assert.equal(order()[0], "websocket");
  assert.deepEqual(choose.upgrade(fs), { to: ws, wait: 0 });
  choose.worked(fs, ["websocket"], false);
  assert.deepEqual(choose.upgrade(fs), { to: ws, wait: 600_000 });
  choose.worked(ws, [], false);
  assert.equal(order()[0], "websocket");
  assert.equal(choose.upgrade(ws), null);
});

test("a WebSocket that is killed twice is no longer preferred, and the page after this one knows", () => {
  const { choose, time, order, stored } = chooser();
  choose.worked(ws, [], false);
  choose.lost(ws, { livedMs: 300, mute: false, buffered: false });
  assert.equal(order()[0], "websocket");
  time.now += 10_000;
  choose.worked(ws, [], false);
  choose.lost(ws, { livedMs: 300, mute: false, buffered: false });
  assert.equal(order()[0], "fetch-streaming");
  const next = chooser(stored);
  assert.equal(next.order()[0], "fetch-streaming");
  next.time.now += 600_001;
  assert.equal(next.order()[0], "websocket");
});

test("two kills with much time or a long life between them are no habit", () => {
  for (const between of ["time", "life"]) {
    const { choose, time, order } = chooser();
    choose.lost(ws, { livedMs: 300, mute: false, buffered: false });
    if (between === "time") time.now += 60_001;
    else choose.lost(ws, { livedMs: 100_000, mute: false, buffered: false });
    choose.lost(ws, { livedMs: 300, mute: false, buffered: false });
    assert.equal(order()[0], "websocket", between);
  }
});

test("one stream that is held back condemns all streams", () => {
  const { choose, order } = chooser();
  choose.worked(lp, ["fetch-streaming"], true);
  assert.deepEqual(order(), ["websocket", "long-polling", "fetch-streaming", "xhr-streaming"]);
  const other = chooser();
  other.choose.lost(fs, { livedMs: 90_000, mute: false, buffered: true });
  assert.deepEqual(other.order(), ["websocket", "long-polling", "fetch-streaming", "xhr-streaming"]);
});

test("when nothing works only one transport of each kind is asked again", () => {
  assert.deepEqual(chooser().order(1), ["websocket", "fetch-streaming", "long-polling"]);
});

test("a storage that fails or holds something else does no harm", () => {
  for (const text of ["", "null", "[1]", "{\"websocket\":1}", "{\"websocket\":{\"until\":\"x\"}}", "{"]) {
    assert.equal(chooser(new Map([["v", text]])).order()[0], "websocket", text);
  }
  const far = JSON.stringify({ websocket: { until: 1e15, strikes: 1 } });
  const { choose } = chooser(new Map([["v", far]]));
  assert.ok(choose.upgrade(fs)!.wait <= 600_000);
  const broken = { get: () => { throw new Error("denied"); }, set: () => { throw new Error("denied"); } }; // prettier-ignore
  const verdicts = new Verdicts(broken, "v", () => 0);
  verdicts.against("websocket", true);
  assert.equal(verdicts.wait("websocket"), 600_000);
});
