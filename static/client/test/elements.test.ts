import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeRecords } from "../src/encoding.ts";
import { Endpoint } from "../src/endpoint.ts";
import type { LinkEnd } from "../src/link.ts";
import type { Platform } from "../src/platform.ts";
import { uplinkWay } from "../src/transports/uplink.ts";
import { settle, VirtualClock } from "./clock.ts";
import { recordToJSON } from "./json.ts";
import { named } from "./rider.ts";
import { opening, batch, batchTypes, start, type Run } from "./linklog.ts";
import { FakeElement, fakeDocument, callBack } from "./document.ts";

test("jsonp: one script after the other, answers in any order, late ones ignored", async () => {
  const { elements, document } = fakeDocument();
  const { log, clock } = await start("jsonp", { document });
  const [first] = elements;
  assert.match(first.src, /^http:\/\/p\.test\/session\/jsonp\?d=[\w-]+&callback=__encke\.jsonp&seq=\d+&hold=25$/);
  assert.equal(new URL(first.src).searchParams.get("d"), opening.toString("base64url"));
  callBack(first, JSON.parse(batch));
  await settle();
  assert.deepEqual([log.types, elements.length], [batchTypes, 1]);
  const [second] = elements;
  assert.notEqual(new URL(second.src).searchParams.get("seq"), new URL(first.src).searchParams.get("seq"));
  callBack(first, JSON.parse(batch)); // again: nobody waits
  assert.equal(log.types, batchTypes);
  await clock.pass(44_000);
  assert.deepEqual([log.end], [null]);
  await clock.pass(2000);
  assert.deepEqual([log.end?.reason, elements.length], ["no answer within 45 s", 0]);
  callBack(second, JSON.parse(batch));
  assert.equal(log.types, batchTypes);
});

test("jsonp: addresses stay below 8 kB and scripts that fail are told", async () => {
  for (const [how, reason] of [["onerror", "the script did not load"], ["onload", "the script did not call back"]] as const) { // prettier-ignore
    const { elements, document } = fakeDocument();
    const { log } = await start("jsonp", { document });
    elements[0][how]!();
    await settle();
    assert.deepEqual([log.end?.reason, elements.length], [reason, 0]);
    assert.ok(encodeRecords([{ type: "DATA", data: new Uint8Array(log.composed[0]) }]).length * 1.34 < 7000);
  }
});

test("jsonp: packets go up in scripts, larger ones in a POST", async () => {
  const { elements, document } = fakeDocument();
  const posted: string[] = [];
  const fetch = async (url: string): Promise<Response> => {
    posted.push(url);
    return new Response(encodeRecords([{ type: "ACK", id: 2 }]));
  };
  const platform = { clock: new VirtualClock(), streamingFetch: false, document, fetch } as unknown as Platform;
  const way = uplinkWay(named("jsonp")[0], new Endpoint("http://p.test/"), platform);
  const small = way.send([{ type: "RESUME", session: "n1.x", ack: 7 }, { type: "SEQ", id: 1 }, { type: "DATA", data: new Uint8Array(way.limit) }]); // prettier-ignore
  assert.match(elements[0].src, /^http:\/\/p\.test\/session\/jsonp-send\?d=/);
  assert.ok(elements[0].src.length < 8000, `${elements[0].src.length}`);
  callBack(elements[0], [["ack", 1]]);
  assert.deepEqual((await small.answer).map(recordToJSON), [{ type: "ACK", id: 1 }]);
  const large = way.send([{ type: "RESUME", session: "n1.x", ack: 7 }, { type: "SEQ", id: 2 }, { type: "DATA", data: new Uint8Array(65536) }]); // prettier-ignore
  assert.deepEqual([(await large.answer).map(recordToJSON), posted], [[{ type: "ACK", id: 2 }], ["http://p.test/session/send"]]);
});

test("jsonp: under Trusted Types the address is made by a policy", async () => {
  const names: string[] = [];
  const holder = globalThis as { trustedTypes?: unknown };
  holder.trustedTypes = {
    createPolicy: (name: string, rules: { createScriptURL(u: string): string }) => {
      names.push(name);
      return { createScriptURL: (u: string) => ({ toString: () => rules.createScriptURL(u) }) };
    },
  };
  const { elements, document } = fakeDocument();
  await start("jsonp", { document });
  delete holder.trustedTypes;
  assert.deepEqual(names, ["encke"]);
  assert.equal(typeof elements[0].src, "object");
});

// Frames

async function frame(): Promise<Run & { elements: FakeElement[]; say: (data: unknown, more?: object) => void }> {
  const { elements, document } = fakeDocument();
  const listeners = new Set<(e: object) => void>();
  const g = globalThis as { addEventListener?: unknown; removeEventListener?: unknown };
  g.addEventListener = (_: string, f: (e: object) => void) => listeners.add(f);
  g.removeEventListener = (_: string, f: (e: object) => void) => listeners.delete(f);
  const run = await start("iframe", { document, fetch });
  const say = (data: unknown, more = {}): void => {
    for (const f of listeners) f({ data, source: elements[0]?.contentWindow, origin: "http://p.test", ...more });
  };
  return { ...run, elements, say };
}

test("iframe: takes batches from its own frame and the proxy's origin only", async () => {
  const { log, elements, say, link } = await frame();
  assert.match(elements[0].src, /^http:\/\/p\.test\/session\/iframe\?d=[\w-]+&n=1&hold=10$/);
  assert.equal(elements[0].hidden, true);
  say({ encke: JSON.parse(batch) }, { source: {} });
  say({ encke: JSON.parse(batch) }, { origin: "http://evil.test" });
  say("text");
  say(null);
  say({ other: 1 });
  assert.equal(log.types, "");
  say({ encke: JSON.parse(batch) });
  assert.equal(log.types, batchTypes);
  link.close();
  assert.equal(elements.length, 0);
  say({ encke: JSON.parse(batch) });
  assert.equal(log.types, batchTypes);
});

test("iframe: a frame that loads without a batch was refused, an ended one is replaced or told", async () => {
  const refused = await frame();
  refused.elements[0].onload!();
  await refused.clock.pass(500);
  assert.deepEqual([refused.log.end], [null]); // messages may come after the load event
  await refused.clock.pass(1000);
  assert.equal((refused.log.end as LinkEnd | null)?.kind, "cut");
  const short = await frame();
  short.say({ encke: [] });
  short.say({ encke: null });
  assert.equal(short.log.end?.reason, "the answer ended");
  const full = await frame();
  full.say({ encke: [[1, 0, "x".repeat(300_000)]] });
  const old = full.elements[0];
  full.say({ encke: null });
  assert.deepEqual([full.log.end, full.elements.length, full.elements[0] !== old], [null, 1, true]);
});
