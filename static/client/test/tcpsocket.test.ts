import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { realClock } from "../src/clock.ts";
import type { TransportName } from "../src/link.ts";
import { TCPSocket, TCPSocketError } from "../src/module.ts";
import { Network, noFaults } from "./network.ts";
import { EchoMux, Proxy } from "./proxy.ts";

// These tests use the class as pages do, with the real clock: nothing depends on
// how long anything takes.

const reported: unknown[] = [];
let network: Network;
let proxies = 0;
let keepAlive: ReturnType<typeof setInterval>;
const realSetTimeout = setTimeout;

before(() => {
  keepAlive = setInterval(() => {}, 1000);
  // Idle sessions must not keep the test running.
  globalThis.setTimeout = ((f: () => void, ms?: number) => realSetTimeout(f, ms).unref()) as unknown as typeof setTimeout;
  (globalThis as { reportError?: unknown }).reportError = (e: unknown) => reported.push(e);
});

after(() => clearInterval(keepAlive));

/** A new proxy at a new address, and therefore a new session. */
function proxy(prepare: (mux: EchoMux) => void = () => {}): { opened: () => EchoMux } {
  const p = new Proxy(realClock);
  network = new Network(realClock, p, { ...noFaults(), delay: () => 0 });
  globalThis.fetch = network.fetch as typeof fetch;
  TCPSocket.proxy = `http://proxy${proxies++}.test/`;
  p.prepare = prepare;
  return { opened: () => p.muxes.at(-1)! };
}

const stream = { transports: ["fetch-streaming"] as TransportName[] };

function closeOf(s: TCPSocket): Promise<TCPSocketError> {
  return new Promise((resolve) => (s.onclose = resolve));
}

function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

/** Until something is so. */
async function when(so: () => boolean): Promise<void> {
  while (!so()) await new Promise((resolve) => realSetTimeout(resolve, 1));
}

async function readAll(readable: ReadableStream<Uint8Array>): Promise<string> {
  let all = "";
  const reader = readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return all;
    all += text(value);
  }
}

test("callbacks as in Orbited: text, states, one clean close", async () => {
  proxy();
  const s = new TCPSocket();
  assert.equal(s.readyState, TCPSocket.INITIALIZED);
  assert.equal(s.state, "idle");
  assert.throws(() => s.send("early"), { code: "invalid-state", name: "InvalidStateError" });
  const log: string[] = [];
  s.onopen = () => log.push(`open ${s.readyState}`);
  const closed = closeOf(s);
  const echoed = new Promise<void>((resolve) => {
    s.onread = (data) => {
      log.push(data as string);
      if (log.join("").endsWith("€")) resolve();
    };
  });
  s.open("irc.example.org", 6667);
  assert.equal(s.readyState, s.OPENING);
  assert.throws(() => s.open("again", 1), { code: "invalid-state" });
  s.send("grüße €");
  await echoed;
  assert.deepEqual([log[0], log.slice(1).join("")], [`open ${TCPSocket.OPEN}`, "grüße €"]);
  const done = s.close();
  assert.equal(s.readyState, TCPSocket.CLOSING);
  assert.throws(() => s.send("late"), { code: "invalid-state" });
  const cause = await closed;
  assert.ok(cause instanceof TCPSocketError && cause instanceof TCPSocket.Error && cause instanceof Error);
  assert.deepEqual([cause.code, cause.number, s.readyState, s.state], ["closed", 0, 5, "closed"]);
  assert.equal(await done, undefined);
  assert.equal(await s.closed, undefined);
  assert.deepEqual([s.bytesRead, s.bytesWritten], [11, 11]);
});

test("the states are also on the prototype and can not be changed", () => {
  const s = new TCPSocket();
  assert.deepEqual([s.INITIALIZED, s.OPENING, s.OPEN, s.CLOSING, s.CLOSED], [1, 2, 3, 4, 5]);
  assert.deepEqual([TCPSocket.INITIALIZED, TCPSocket.OPENING, TCPSocket.OPEN, TCPSocket.CLOSING, TCPSocket.CLOSED], [1, 2, 3, 4, 5]);
});

test("text is decoded across the borders of chunks, and an unfinished character is shown at the end", async () => {
  const p = proxy((mux) => (mux.silent = true));
  const s = new TCPSocket("h", 1, stream);
  let got = "";
  s.onread = (data) => (got += data);
  const closed = closeOf(s);
  await s.opened;
  for (const byte of Buffer.from("€ü")) p.opened().say({ type: "DATA", socket: 1, data: new Uint8Array([byte]) });
  p.opened().say({ type: "DATA", socket: 1, data: new Uint8Array([0xe2, 0x82]) }, { type: "EOF", socket: 1 });
  assert.equal((await closed).code, "closed"); // with callbacks there is no half-open socket
  assert.equal(got, "€ü\ufffd");
});

test("binary gives bytes of its own memory", async () => {
  proxy();
  const s = new TCPSocket("h", 1, { ...stream, binary: true });
  const sent = Uint8Array.from({ length: 256 }, (_, i) => i);
  const got = new Promise<Uint8Array>((resolve) => (s.onread = (d) => resolve(d as Uint8Array)));
  s.send(sent.subarray(0)); // a view
  sent.fill(0); // what was sent does not change any more
  const data = await got;
  assert.deepEqual([...data], Array.from({ length: 256 }, (_, i) => i)); // prettier-ignore
  assert.equal(data.buffer.byteLength, 256);
  await s.close();
});

test("streams as in Direct Sockets: info, half-close, end", async () => {
  proxy();
  const s = new TCPSocket("::1", 7, stream);
  const info = await s.opened;
  assert.deepEqual(
    [info.remoteAddress, info.remotePort, info.localAddress, info.localPort],
    ["127.0.0.1", 7, "::1", 4000],
  );
  assert.equal(info.readable, s.readable);
  assert.equal(info.writable, s.writable);
  const writer = info.writable.getWriter();
  void writer.write(new TextEncoder().encode("one,"));
  void writer.write(new TextEncoder().encode("two").buffer);
  const closed = writer.close();
  assert.equal(await readAll(info.readable), "one,two");
  await closed;
  assert.equal(await s.closed, undefined);
});

test("after the backend's end writable stays usable", async () => {
  const p = proxy((mux) => (mux.silent = true));
  const s = new TCPSocket("h", 1, stream);
  const { readable, writable } = await s.opened;
  p.opened().say({ type: "EOF", socket: 1 });
  assert.equal(await readAll(readable), "");
  assert.equal(s.readyState, TCPSocket.OPEN);
  const writer = writable.getWriter();
  await writer.write(new Uint8Array(3));
  await writer.close();
  await s.closed;
  await p.opened().until("EOF");
  assert.deepEqual(p.opened().frames.map((f) => f.type), ["OPEN", "DATA", "EOF"]); // prettier-ignore
});

test("readable fills the page's own buffers and holds back the backend", async () => {
  const p = proxy();
  const s = new TCPSocket("h", 1, { ...stream, receiveBufferSize: 1000 });
  const { readable, writable } = await s.opened;
  const sent = Uint8Array.from({ length: 5000 }, (_, i) => i % 251);
  await writable.getWriter().write(sent);
  const reader = readable.getReader({ mode: "byob" });
  const got: number[] = [];
  let buffer = new ArrayBuffer(64);
  while (got.length < sent.length) {
    const { value } = await reader.read(new Uint8Array(buffer));
    got.push(...value!);
    buffer = value!.buffer;
    assert.ok(p.opened().unconsumed(1) <= 1000);
  }
  assert.deepEqual(got, [...sent]);
  reader.releaseLock();
  await s.close();
  const after = await s.readable.getReader({ mode: "byob" }).read(new Uint8Array(8));
  assert.equal(after.done, true);
});

test("a read that waits in the page's buffer ends with the backend", async () => {
  const p = proxy((mux) => (mux.silent = true));
  const s = new TCPSocket("h", 1, stream);
  const { readable } = await s.opened;
  const reading = readable.getReader({ mode: "byob" }).read(new Uint8Array(8));
  p.opened().say({ type: "EOF", socket: 1 });
  assert.equal((await reading).done, true);
});

test("nothing is read ahead of the page", async () => {
  const p = proxy();
  const s = new TCPSocket("h", 1, { ...stream, receiveBufferSize: 1000 });
  s.send(new Uint8Array(5000));
  await s.opened;
  await when(() => p.opened().unconsumed(1) === 1000);
  await when(() => network.running <= 1); // all that was said has been answered
  assert.equal(p.opened().unconsumed(1), 1000);
  let got = 0;
  await new Promise<void>((resolve) => {
    s.onread = (d) => {
      got += d.length;
      if (got === 5000) resolve();
    };
  });
  await s.close();
});

test("a backend that does not read holds back the writer", async () => {
  const p = proxy((mux) => (mux.reading = false));
  const s = new TCPSocket("h", 1, stream);
  const writer = (await s.opened).writable.getWriter();
  let done = 0;
  for (let i = 0; i < 40; i++) void writer.write(new Uint8Array(16_384)).then(() => done++, () => {}); // prettier-ignore
  const arrived = (): number => p.opened().frames.reduce((n, f) => n + (f.type === "DATA" ? f.data.length : 0), 0);
  await when(() => arrived() === 262_144);
  await when(() => network.running <= 1); // all that was said has been answered
  assert.equal(arrived(), 262_144);
  assert.ok(done <= 16, `${done} writes of 16 KiB are done with a window of 256 KiB`);
  assert.ok(writer.desiredSize! < 0);
  p.opened().reading = true;
  p.opened().grant(1, 16_384 * 16);
  s.readable.cancel();
  await writer.close();
  assert.equal(done, 40);
  await s.closed;
});

test("close sends what the streams still have", async () => {
  const p = proxy();
  const s = new TCPSocket("h", 1, stream);
  const writer = s.writable.getWriter();
  for (let i = 0; i < 20; i++) void writer.write(new Uint8Array(10_000)).catch(() => {});
  await s.close();
  const sent = p.opened().frames.reduce((n, f) => n + (f.type === "DATA" ? f.data.length : 0), 0);
  assert.equal(sent, 200_000);
  assert.equal(p.opened().frames.at(-1)!.type, "CLOSE");
});

test("aborting the writer and reset() reset the backend", async () => {
  for (const how of ["abort", "reset"] as const) {
    const p = proxy();
    const s = new TCPSocket("h", 1, stream);
    const { readable, writable } = await s.opened;
    const closed = closeOf(s);
    const reading = readable.getReader().read();
    if (how === "abort") void writable.abort();
    else s.reset();
    assert.equal((await closed).code, "reset");
    await assert.rejects(s.closed, { code: "reset", name: "NetworkError" });
    await assert.rejects(reading, { code: "reset" });
    await p.opened().until("RESET");
  }
});

test("what the backend sent before it was reset can still be read", async () => {
  const p = proxy((mux) => (mux.silent = true));
  const s = new TCPSocket("h", 1, stream);
  const { readable } = await s.opened;
  p.opened().say({ type: "DATA", socket: 1, data: new Uint8Array([65, 66]) }, { type: "RESET", socket: 1, cause: 7, text: "" });
  await assert.rejects(s.closed, { code: "reset" });
  const reader = readable.getReader();
  assert.equal(text((await reader.read()).value!), "AB");
  await assert.rejects(reader.read(), { code: "reset" });
});

test("cancelling readable only discards", async () => {
  proxy();
  const s = new TCPSocket("h", 1, { ...stream, receiveBufferSize: 1000 });
  const { readable, writable } = await s.opened;
  await readable.cancel();
  const writer = writable.getWriter();
  await writer.write(new Uint8Array(50_000)); // more than the window comes back
  await writer.close();
  await s.closed;
  assert.equal(s.bytesRead, 50_000);
});

test("a refused target is told everywhere, and nothing goes unhandled", async () => {
  proxy((mux) => (mux.refuse = 4));
  const s = new TCPSocket("127.0.0.1", 9, stream);
  const events: string[] = [];
  s.addEventListener("open", () => events.push("open"));
  s.addEventListener("close", (e) => events.push(`close ${(e as unknown as { cause: TCPSocketError }).cause.code}`));
  s.send("never");
  const cause = await closeOf(s);
  await assert.rejects(s.opened, { code: "refused", name: "NetworkError", number: 4 });
  await assert.rejects(s.closed, { code: "refused" });
  assert.equal(cause.message, "127.0.0.1:9: refused: nobody listens on this port");
  await Promise.resolve();
  assert.deepEqual(events, ["close refused"]);
  await assert.rejects(s.writable.getWriter().write(new Uint8Array(1)), { code: "refused" });
});

test("the names of errors are those of Direct Sockets", async () => {
  for (const [number, code, name] of [[1, "denied", "NotAllowedError"], [11, "not-authenticated", "NotAllowedError"], [2, "bad-target", "TypeError"], [3, "name-not-found", "NetworkError"]] as const) { // prettier-ignore
    proxy((mux) => (mux.refuse = number));
    await assert.rejects(new TCPSocket("h", 1, stream).opened, { code, name, number });
  }
});

test("wrong arguments are refused at once", () => {
  proxy();
  for (const make of [
    () => new TCPSocket("", 1),
    () => new TCPSocket("h", 0),
    () => new TCPSocket("h", 65536),
    () => new TCPSocket("h", 1.5),
    () => new TCPSocket("h", "1" as unknown as number),
    () => new TCPSocket(7 as unknown as string, 1),
    () => new TCPSocket("h", 1, { keepAliveDelay: 999 }),
    () => new TCPSocket("h", 1, { keepAliveDelay: NaN }),
    () => new TCPSocket("h", 1, { receiveBufferSize: 0 }),
    () => new TCPSocket("h", 1, { sendBufferSize: 0 }),
    () => new TCPSocket("h", 1, { dnsQueryType: "ipv5" as "ipv4" }),
    () => new TCPSocket("h", 1, { transports: [] }),
    () => new TCPSocket("h", 1, { transports: ["carrier-pigeon" as "jsonp"] }),
    () => new TCPSocket("h", 1, { proxy: "ftp://x/" }),
  ]) {
    assert.throws(make, TypeError, String(make));
  }
  TCPSocket.proxy = undefined;
  assert.throws(() => new TCPSocket("h", 1), /where is the proxy/);
  assert.deepEqual(network.requests, []);
});

test("options reach the proxy", async () => {
  const p = proxy();
  const s = new TCPSocket("h", 1, { ...stream, noDelay: false, keepAliveDelay: 20_000, dnsQueryType: "ipv6", receiveBufferSize: 5000 });
  await s.opened;
  const [open] = p.opened().frames;
  assert.ok(open.type === "OPEN");
  assert.deepEqual([open.window, open.options.map(([k, v]) => [k, [...v]])], [5000, [[1, [0]], [2, [0xa0, 0x9c, 0x01]], [3, [6]]]]); // prettier-ignore
  await s.close();
});

test("sockets share a session; other transports make another one", async () => {
  proxy();
  const all = [new TCPSocket("a", 1, stream), new TCPSocket("b", 2, stream), new TCPSocket("c", 3, { transports: ["long-polling"] })];
  await Promise.all(all.map((s) => s.opened));
  assert.deepEqual(network.proxy.muxes.map((m) => m.opened.map((o) => o.host)), [["a", "b"], ["c"]]); // prettier-ignore
  assert.deepEqual(all.map((s) => s.transport), ["fetch-streaming", "fetch-streaming", "long-polling"]); // prettier-ignore
  await Promise.all(all.map((s) => s.close()));
});

test("after GOAWAY new sockets get a new session", async () => {
  const p = proxy();
  const first = new TCPSocket("a", 1, stream);
  await first.opened;
  const gone = p.opened();
  gone.say({ type: "GOAWAY", socket: 0, cause: 12, retry: 0 });
  gone.say({ type: "DATA", socket: 1, data: new Uint8Array([33]) });
  await new Promise((resolve) => (first.onread = resolve)); // behind the GOAWAY
  const second = new TCPSocket("b", 2, stream);
  await second.opened;
  assert.equal(network.proxy.sessions.length, 2);
  first.send("!");
  await new Promise((resolve) => (first.onread = resolve));
  await Promise.all([first.close(), second.close()]);
});

test("bytes wait for onread or a listener that comes later", async () => {
  for (const late of ["onread", "listener"] as const) {
    proxy();
    const s = new TCPSocket("h", 1, stream);
    s.send("waiting");
    await s.opened;
    await when(() => s.bytesRead === 7);
    let got = "";
    await new Promise<void>((resolve) => {
      const take = (data: unknown): void => {
        got += String(data);
        if (got === "waiting") resolve();
      };
      if (late === "onread") s.onread = take;
      else s.addEventListener("read", (e) => take((e as unknown as { data: string }).data));
    });
    await s.close();
  }
});

test("what a callback throws is reported and hurts nobody", async () => {
  proxy();
  const s = new TCPSocket("h", 1, stream);
  const other = new TCPSocket("h", 2, stream);
  reported.length = 0;
  const boom = new Error("boom");
  s.onopen = s.onread = () => {
    throw boom;
  };
  s.send("x");
  other.send("y");
  assert.equal(await new Promise((resolve) => (other.onread = resolve)), "y");
  s.onclose = () => {
    throw boom;
  };
  await s.close();
  await other.close();
  assert.ok(reported.length >= 2 && reported.every((e) => e === boom));
});

test("a callback may close, reset and cut", async () => {
  for (const act of ["close", "reset", "cutLink"] as const) {
    proxy();
    const s = new TCPSocket("h", 1, stream);
    const closed = closeOf(s);
    let reads = 0;
    s.onread = () => {
      reads++;
      s[act]();
      if (act === "cutLink") void s.close();
    };
    s.send("x");
    assert.equal((await closed).code, act === "reset" ? "reset" : "closed");
    assert.equal(reads, 1);
  }
});

test("close before open, and twice", async () => {
  const s = new TCPSocket();
  const closed = closeOf(s);
  assert.equal(s.close(), s.close());
  assert.equal((await closed).code, "closed");
  assert.throws(() => s.open("h", 1), { code: "invalid-state" });
  s.reset();
  await assert.rejects(s.opened);
});

test("events tell states, transports and, to those who listen, every packet", async () => {
  proxy();
  const s = new TCPSocket(stream);
  const seen: string[] = [];
  for (const type of ["statechange", "transportchange"]) s.addEventListener(type, () => seen.push(`${type} ${s.state} ${s.transport}`));
  const kinds = new Set<string>();
  s.addEventListener("link", (e) => kinds.add((e as unknown as { detail: { kind: string } }).detail.kind));
  s.open("h", 1);
  assert.equal(s.state, "connecting");
  await s.opened;
  s.cutLink();
  s.send("x");
  await new Promise((resolve) => (s.onread = resolve));
  await s.close();
  assert.deepEqual(seen, [
    "statechange online fetch-streaming",
    "transportchange online fetch-streaming",
    "statechange reconnecting null",
    "statechange online fetch-streaming",
    "statechange closed null",
  ]);
  for (const kind of ["attach", "packet-sent", "packet-received", "cut", "resume"]) assert.ok(kinds.has(kind), kind);
});
