import assert from "node:assert/strict";
import { test } from "node:test";
import { TCPSocket, TCPSocketError } from "../src/module.ts";
import { closeOf, network, proxy, reported, stream, when } from "./pagekit.ts";

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
