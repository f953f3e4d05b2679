import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeRecords } from "../src/encoding.ts";
import { Endpoint } from "../src/endpoint.ts";
import type { Link, LinkEnd, LinkEvents } from "../src/link.ts";
import type { SessionRecord } from "../src/packet.ts";
import type { Platform } from "../src/platform.ts";
import { transports } from "../src/transports/index.ts";
import { uplinkWay } from "../src/transports/uplink.ts";
import { settle, VirtualClock } from "./clock.ts";
import { recordToJSON } from "./json.ts";
import { named } from "./rider.ts";

/** What a link did: what it asked for, what came, how it ended. */
class Log implements LinkEvents {
  composed: number[] = [];
  began_ = 0;
  got: SessionRecord[] = [];
  end: LinkEnd | null = null;
  /** null makes the link retire. */
  opening: SessionRecord[] | null = [{ type: "RESUME", session: "n1.x", ack: 7 }];

  compose(packetBytes: number): Uint8Array<ArrayBuffer> | null {
    this.composed.push(packetBytes);
    return this.opening && encodeRecords(this.opening);
  }

  began(): void {
    this.began_++;
  }

  records(records: SessionRecord[]): void {
    this.got.push(...records);
  }

  ended(end: LinkEnd): void {
    assert.equal(this.end, null, "ended twice");
    this.end = end;
  }

  get types(): string {
    return this.got.map((r) => r.type).join();
  }
}

const opening = Buffer.from(encodeRecords([{ type: "RESUME", session: "n1.x", ack: 7 }]));
const batch = '[["ack",3],[1,0,"hello"],[2,1,"_w"],[3,0,null],["ping"]]';
const batchTypes = "ACK,SEQ,DATA,DATA,END,PING";

interface Run {
  log: Log;
  link: Link;
  clock: VirtualClock;
}

async function start(name: (typeof transports)[number]["name"], extra: object): Promise<Run> {
  const clock = new VirtualClock();
  const [t] = named(name);
  const platform = { clock, streamingFetch: false, ...extra } as Platform;
  assert.equal(t.missing(platform), "");
  const log = new Log();
  const link = t.open(new Endpoint("http://p.test/"), platform, log);
  assert.deepEqual(log.composed, [], "no events before open returns");
  await clock.pass(0);
  return { log, link, clock };
}

test("every transport says what it lacks", () => {
  const nothing = { clock: new VirtualClock(), streamingFetch: false };
  for (const t of transports) assert.match(t.missing(nothing), /here$/, t.name);
});

// XMLHttpRequest

class FakeXHR {
  static all: FakeXHR[] = [];
  readyState = 1;
  status = 0;
  responseText = "";
  responseType = "";
  response: unknown = null;
  url = "";
  sent: Uint8Array | null = null;
  headers = "";
  aborted = false;
  onprogress: (() => void) | null = null;
  onreadystatechange: (() => void) | null = null;
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  constructor() {
    FakeXHR.all.push(this);
  }
  open(method: string, url: string): void {
    this.url = `${method} ${url}`;
  }
  setRequestHeader(name: string, value: string): void {
    this.headers += `${name}: ${value}`;
  }
  send(body: Uint8Array): void {
    this.sent = body;
  }
  abort(): void {
    this.aborted = true;
  }
  grow(text: string): void {
    this.status = 200;
    this.readyState = 3;
    this.responseText += text;
    this.onreadystatechange?.();
    this.onprogress?.();
  }
  finish(status: number, text = ""): void {
    this.status = status;
    this.responseText += text;
    this.readyState = 4;
    this.onreadystatechange?.();
  }
}

async function xhr(): Promise<Run & { request: FakeXHR }> {
  FakeXHR.all = [];
  const run = await start("xhr-streaming", { XMLHttpRequest: FakeXHR });
  return { ...run, request: FakeXHR.all[0] };
}

test("xhr-streaming: posts its records and reads batches a character at a time", async () => {
  const { log, request } = await xhr();
  assert.equal(request.url, "POST http://p.test/session/xhr-streaming?hold=25");
  assert.deepEqual([Buffer.from(request.sent!), request.headers], [opening, "Content-Type: text/plain"]);
  for (const c of `${batch}\n[]\n`) request.grow(c);
  assert.deepEqual([log.types, log.began_], [batchTypes, 1]);
});

test("xhr-streaming: a full answer is followed by the next, a short one ends the link", async () => {
  const { log, request } = await xhr();
  request.grow("[]\n");
  request.finish(200, " ".repeat(600_000));
  // The padding is no line yet, but the answer was full: the next request is out.
  assert.equal(FakeXHR.all.length, 2);
  FakeXHR.all[1].grow(`${batch}\n`);
  assert.equal(log.types, batchTypes);
  FakeXHR.all[1].finish(200);
  assert.deepEqual([log.end?.kind, log.end?.reason], ["cut", "the answer ended"]);
});

test("xhr-streaming: refusals, other people's answers and dropping", async () => {
  const refused = await xhr();
  refused.request.finish(404, '[["close",13,0,"unknown session"]]');
  assert.deepEqual([refused.log.end?.kind, refused.log.end?.status, refused.log.end?.close?.cause], ["refused", 404, 13]);
  const html = await xhr();
  html.request.grow("<html>\n");
  assert.equal(html.log.end?.kind, "cut");
  assert.equal(html.request.aborted, true);
  const failed = await xhr();
  failed.request.finish(0);
  assert.deepEqual(failed.log.end, { kind: "cut", reason: "network error" });
  const dropped = await xhr();
  dropped.link.close();
  dropped.request.grow(`${batch}\n`);
  assert.deepEqual([dropped.log.got, dropped.log.end, dropped.request.aborted], [[], null, true]);
});

test("polling and posting work with XMLHttpRequest where there is no fetch", async () => {
  FakeXHR.all = [];
  const { log } = await start("long-polling", { XMLHttpRequest: FakeXHR });
  const answer = (x: FakeXHR, records: SessionRecord[]): void => {
    x.status = 200;
    x.response = encodeRecords(records).buffer.slice(0, encodeRecords(records).length);
    x.onload!();
  };
  answer(FakeXHR.all[0], [{ type: "ACK", id: 0 }, { type: "PONG" }]); // prettier-ignore
  await settle();
  assert.deepEqual([log.types, FakeXHR.all.length], ["ACK,PONG", 2]);
  FakeXHR.all[1].onerror!();
  await settle();
  assert.deepEqual(log.end, { kind: "cut", reason: "network error" });

  const [t] = named("long-polling");
  const platform = { clock: new VirtualClock(), streamingFetch: false, XMLHttpRequest: FakeXHR } as unknown as Platform;
  const exchange = uplinkWay(t, new Endpoint("http://p.test/"), platform).send([{ type: "RESUME", session: "n1.x", ack: 7 }]);
  assert.equal(FakeXHR.all[2].url, "POST http://p.test/session/send");
  answer(FakeXHR.all[2], [{ type: "ACK", id: 5 }]);
  assert.deepEqual(await exchange.answer, [{ type: "ACK", id: 5 }]);
});

// fetch

test("long-polling: hasty answers without news do not make a tight loop", async () => {
  let asked = 0;
  const fetch = async (): Promise<Response> => {
    asked++;
    return new Response(encodeRecords([{ type: "ACK", id: 0 }]));
  };
  const { clock } = await start("long-polling", { fetch });
  await clock.pass(10_000);
  assert.ok(asked <= 15, `${asked} requests in 10 s`);
});

test("long-polling: a body that is cut has no effect", async () => {
  const whole = encodeRecords([{ type: "ACK", id: 0 }, { type: "SEQ", id: 1 }, { type: "DATA", data: new Uint8Array(20) }]); // prettier-ignore
  const { log } = await start("long-polling", { fetch: async () => new Response(whole.slice(0, 15)) });
  assert.deepEqual([log.got, log.end?.kind], [[], "cut"]);
});

test("fetch-streaming: a record whose rest does not come has no effect, the ones before it have", async () => {
  const whole = encodeRecords([{ type: "ACK", id: 0 }, { type: "SEQ", id: 1 }, { type: "DATA", data: new Uint8Array(20) }]); // prettier-ignore
  const { log } = await start("fetch-streaming", { streamingFetch: true, fetch: async () => new Response(whole.slice(0, 15)) });
  await settle();
  assert.deepEqual([log.types, log.end?.reason], ["ACK,SEQ", "the answer ended"]);
});

test("requests carry no credentials and need no preflight", async () => {
  let init: RequestInit = {};
  const fetch = (_: string, i: RequestInit): Promise<Response> => {
    init = i;
    return new Promise(() => {});
  };
  for (const name of ["fetch-streaming", "long-polling"] as const) {
    await start(name, { fetch, streamingFetch: true });
    assert.deepEqual([init.method, init.credentials], ["POST", "omit"]);
    assert.equal((init.headers as { [n: string]: string })["Content-Type"], "text/plain");
  }
});

// EventSource

class FakeEventSource {
  static all: FakeEventSource[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  constructor(
    readonly url: string,
    readonly options: object,
  ) {
    FakeEventSource.all.push(this);
  }
  close(): void {
    this.closed = true;
  }
}

test("eventsource: says RESUME in the address, and an error is its end", async () => {
  FakeEventSource.all = [];
  const { log } = await start("eventsource", { EventSource: FakeEventSource, fetch });
  const [source] = FakeEventSource.all;
  assert.equal(source.url, `http://p.test/session/eventsource?d=${opening.toString("base64url")}&hold=25`);
  assert.deepEqual([source.options, log.composed], [{ withCredentials: false }, [0]]);
  source.onopen!();
  source.onmessage!({ data: batch });
  assert.equal(log.types, batchTypes);
  source.onerror!();
  assert.deepEqual([log.end?.kind, source.closed, FakeEventSource.all.length], ["cut", true, 1]);
});

// Script tags

class FakeElement {
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  src = "";
  async = false;
  hidden = false;
  title = "";
  referrerPolicy = "";
  contentWindow = { name: "the frame" };
  constructor(
    readonly kind: string,
    private readonly parent: FakeElement[],
  ) {}
  setAttribute(): void {}
  appendChild(e: FakeElement): void {
    this.parent.push(e);
  }
  remove(): void {
    this.parent.splice(this.parent.indexOf(this), 1);
  }
}

function fakeDocument(): { elements: FakeElement[]; document: object } {
  const elements: FakeElement[] = [];
  const place = new FakeElement("place", elements);
  return { elements, document: { createElement: (kind: string) => new FakeElement(kind, elements), head: place, body: place, documentElement: place } };
}

/** Answers the script as the proxy would: calls what it names. */
function callBack(script: FakeElement, value: unknown): void {
  const query = new URL(script.src).searchParams;
  assert.match(query.get("callback")!, /^[A-Za-z_$][A-Za-z0-9_$]*(\.[A-Za-z_$][A-Za-z0-9_$]*){0,4}$/);
  assert.match(query.get("seq")!, /^\d{1,9}$/);
  let f: unknown = globalThis;
  for (const name of query.get("callback")!.split(".")) f = (f as { [n: string]: unknown })[name];
  (f as (seq: number, batch: unknown) => void)(Number(query.get("seq")), value);
}

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
  assert.match(elements[0].src, /^http:\/\/p\.test\/session\/iframe\?d=[\w-]+&hold=25$/);
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

test("a link that is not wanted any more ends without another request", async () => {
  const clock = new VirtualClock();
  let asked = 0;
  const platform = { clock, streamingFetch: true, EventSource: FakeEventSource, XMLHttpRequest: FakeXHR, document: fakeDocument().document,
    fetch: () => void asked++ } as unknown as Platform; // prettier-ignore
  FakeXHR.all = [];
  FakeEventSource.all = [];
  for (const t of transports.filter((t) => t.name !== "websocket")) {
    const log = new Log();
    log.opening = null;
    t.open(new Endpoint("http://p.test/"), platform, log);
    await clock.pass(0);
    assert.equal(log.end?.kind, "retired", t.name);
  }
  assert.deepEqual([asked, FakeXHR.all.length, FakeEventSource.all.length], [0, 0, 0]);
});

// WebSocket

class FakeWS {
  static all: FakeWS[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  binaryType = "";
  bufferedAmount = 5;
  sent: Uint8Array[] = [];
  closed = false;
  constructor(readonly url: string) {
    if (url.includes("forbidden")) throw new Error("insecure");
    FakeWS.all.push(this);
  }
  send(data: Uint8Array): void {
    this.sent.push(data);
  }
  close(): void {
    this.closed = true;
  }
}

test("websocket: whole records in binary messages, nothing else", async () => {
  FakeWS.all = [];
  const { log, link } = await start("websocket", { WebSocket: FakeWS });
  const [ws] = FakeWS.all;
  assert.deepEqual([ws.url, ws.binaryType], ["ws://p.test/session/websocket?hold=25", "arraybuffer"]);
  ws.onopen!();
  assert.deepEqual(Buffer.from(ws.sent[0]), opening);
  const message = encodeRecords([{ type: "ACK", id: 1 }, { type: "PING" }]); // prettier-ignore
  ws.onmessage!({ data: message.slice().buffer });
  assert.deepEqual([log.types, link.buffered!()], ["ACK,PING", 5]);
  ws.onmessage!({ data: message.slice(0, 1).buffer });
  assert.deepEqual([log.end?.kind, ws.closed], ["cut", true]);
});

test("websocket: why it ended", async () => {
  for (const [open, code, kind, reason] of [
    [false, 1006, "cut", "closed before it opened (code 1006)"],
    [true, 1006, "cut", "closed with code 1006"],
    [true, 4015, "displaced", "closed with code 4015 (displaced)"],
    [true, 4012, "cut", "closed with code 4012 (going-away)"],
  ] as const) {
    FakeWS.all = [];
    const { log } = await start("websocket", { WebSocket: FakeWS });
    if (open) FakeWS.all[0].onopen!();
    FakeWS.all[0].onclose!({ code });
    assert.deepEqual(log.end, { kind, reason });
  }
  FakeWS.all = [];
  const text = await start("websocket", { WebSocket: FakeWS });
  FakeWS.all[0].onmessage!({ data: "text" });
  assert.equal(text.log.end?.kind, "cut");
});

test("websocket: what the browser forbids is told", async () => {
  const clock = new VirtualClock();
  const log = new Log();
  named("websocket")[0].open(new Endpoint("http://forbidden.test/"), { clock, WebSocket: FakeWS, streamingFetch: false } as unknown as Platform, log);
  assert.equal(log.end, null);
  await clock.pass(0);
  assert.deepEqual(log.end, { kind: "cut", reason: "the browser does not allow it (insecure)" } as LinkEnd | null);
});
