import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeRecords } from "../src/encoding.ts";
import { Endpoint } from "../src/endpoint.ts";
import type { LinkEnd } from "../src/link.ts";
import type { SessionRecord } from "../src/packet.ts";
import type { Platform } from "../src/platform.ts";
import { transports } from "../src/transports/index.ts";
import { uplinkWay } from "../src/transports/uplink.ts";
import { settle, VirtualClock } from "./clock.ts";
import { named } from "./rider.ts";
import { Log, opening, batch, batchTypes, start, type Run } from "./linklog.ts";
import { fakeDocument } from "./document.ts";

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
  assert.equal(source.url, `http://p.test/session/eventsource?d=${opening.toString("base64url")}&n=1&hold=25`);
  assert.deepEqual([source.options, log.composed], [{ withCredentials: false }, [0]]);
  source.onopen!();
  source.onmessage!({ data: batch });
  assert.equal(log.types, batchTypes);
  source.onerror!();
  assert.deepEqual([log.end?.kind, source.closed, FakeEventSource.all.length], ["cut", true, 1]);
});

// Script tags

// WebSocket

test("a link that is not wanted any more ends without another request", async () => {
  Object.assign(globalThis, { addEventListener() {}, removeEventListener() {} });
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

class FakeWS {
  static all: FakeWS[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((e: { data: unknown }) => void) | null = null;
  onclose: ((e: { code: number }) => void) | null = null;
  binaryType = "";
  bufferedAmount = 5;
  protocol = "";
  sent: Uint8Array[] = [];
  closed = false;
  constructor(
    readonly url: string,
    readonly init: { protocols: string[] },
  ) {
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

test("websocket: the first message goes with the request, what comes before it is open behind that", async () => {
  for (const takes of [true, false]) {
    FakeWS.all = [];
    const { link, log } = await start("websocket", { WebSocket: FakeWS }, true);
    const [ws] = FakeWS.all;
    assert.deepEqual(ws.init.protocols, ["encke", opening.toString("base64url")]);
    const later = encodeRecords([{ type: "PING" }]);
    link.send!(later);
    assert.deepEqual([ws.sent, link.buffered!()], [[], 5 + later.length], "nothing is sent before it is open");
    if (takes) ws.protocol = "encke";
    ws.onopen!();
    assert.deepEqual(ws.sent.map((m) => Buffer.from(m)), takes ? [Buffer.from(later)] : [opening, Buffer.from(later)]);
    assert.deepEqual([log.composed, log.began_, link.buffered!()], [[1024], 1, 5]);
  }
});

test("websocket: the end of the session is said also if it is not open yet", async () => {
  for (const last of [true, false]) {
    FakeWS.all = [];
    const { link } = await start("websocket", { WebSocket: FakeWS }, true);
    const [ws] = FakeWS.all;
    const close = encodeRecords([{ type: "CLOSE", cause: 0, retry: 0, text: "" }]);
    link.send!(close, last);
    link.close();
    assert.equal(ws.closed, !last);
    ws.onopen?.();
    assert.deepEqual([ws.sent.map((m) => Buffer.from(m)), ws.closed], [last ? [Buffer.from(close)] : [], true]);
  }
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
