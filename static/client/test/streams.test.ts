import assert from "node:assert/strict";
import { test } from "node:test";
import { TCPSocket } from "../src/module.ts";
import { closeOf, network, proxy, readAll, stream, text, when } from "./pagekit.ts";

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
