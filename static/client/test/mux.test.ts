import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, ByteWriter } from "../src/bytes.ts";
import { type Cause, cause, WireError } from "../src/cause.ts";
import { appendFrame, type Frame, FrameParser } from "../src/frame.ts";
import { type GoAway, Mux } from "../src/mux.ts";
import type { Socket } from "../src/socket.ts";

/** A mux with what it told, and the frames pulled out of it. */
class Rig {
  ready = 0;
  empty = 0;
  goAway: GoAway | null = null;
  readonly mux = new Mux({ ready: () => this.ready++, empty: () => this.empty++, goAway: (g) => void (this.goAway = g) });
  private readonly parser = new FrameParser();

  open(window = 1 << 20): { socket: Socket; log: string[]; over: Cause[] } {
    const log: string[] = [];
    const over: Cause[] = [];
    const socket = this.mux.open(
      { host: "h", port: 7, window, largestWindow: window, options: [] },
      {
        opened: (remote, local) => log.push(`opened ${remote} ${local}`),
        data: (d) => log.push(`data ${d.length}`),
        eof: () => log.push("eof"),
        moved: () => log.push("moved"),
        over: (why) => over.push(why),
      },
    );
    return { socket, log, over };
  }

  pull(max = 65536, turn = 16384): Frame[] {
    const frames: Frame[] = [];
    const bytes = this.mux.pull(max, turn);
    if (bytes) this.parser.feed(bytes, (f) => frames.push(f));
    return frames;
  }

  pullAll(): Frame[] {
    const all: Frame[] = [];
    for (let some = this.pull(); some.length > 0; some = this.pull()) all.push(...some);
    return all;
  }

  say(...frames: Frame[]): void {
    const out = new ByteWriter();
    for (const f of frames) appendFrame(out, f);
    this.mux.receive(out.finish());
  }
}

const opened = (socket: number, window = 0): Frame => ({ type: "OPENED", socket, window, remote: "1.2.3.4:7", local: "5.6.7.8:9" });
const kinds = (frames: Frame[]): string[] => frames.map((f) => `${f.type} ${f.socket}`);
const bytesOf = (frames: Frame[], socket: number): number =>
  frames.reduce((n, f) => n + (f.type === "DATA" && f.socket === socket ? f.data.length : 0), 0);
const data = (n: number): Bytes => new Uint8Array(n);

test("data, end and close follow the opening at once and in order", () => {
  const rig = new Rig();
  const { socket } = rig.open();
  socket.write(data(3));
  socket.eof();
  socket.close();
  assert.deepEqual(kinds(rig.pull()), ["OPEN 1", "DATA 1", "CLOSE 1"]);
  const second = rig.open().socket;
  second.write(data(3));
  second.eof();
  assert.deepEqual(kinds(rig.pull()), ["OPEN 2", "DATA 2", "EOF 2"]);
  assert.deepEqual(rig.pull(), []);
});

test("ready is told once until the next pull", () => {
  const rig = new Rig();
  const { socket } = rig.open();
  socket.write(data(1));
  socket.write(data(1));
  assert.equal(rig.ready, 1);
  rig.pull();
  socket.write(data(1));
  socket.write(data(1));
  assert.equal(rig.ready, 2);
});

test("no more is sent than the window, and the rest when it opens", () => {
  const rig = new Rig();
  const { socket, log } = rig.open();
  socket.write(data(300_000));
  assert.equal(bytesOf(rig.pullAll(), 1), 65_536);
  assert.equal(socket.accepts, false);
  rig.say(opened(1, 100_000));
  assert.equal(bytesOf(rig.pullAll(), 1), 100_000);
  rig.say({ type: "WINDOW", socket: 1, n: 1_000_000 });
  log.length = 0;
  assert.equal(bytesOf(rig.pullAll(), 1), 300_000 - 165_536);
  assert.ok(log.includes("moved"));
  assert.equal(socket.accepts, true);
  assert.equal(socket.queued, 0);
  assert.equal(socket.sent, 300_000);
});

test("a window above 2^31-1 is refused", () => {
  const rig = new Rig();
  rig.open();
  rig.pull();
  rig.say(opened(1));
  assert.throws(() => rig.say({ type: "WINDOW", socket: 1, n: 2 ** 31 }), WireError);
});

test("sockets take turns, who has little to say first", () => {
  const rig = new Rig();
  const bulk = rig.open().socket;
  const small = [rig.open(), rig.open(), rig.open()];
  rig.pull();
  bulk.write(data(60_000));
  for (const s of small) s.socket.write(data(10));
  const first = rig.pull(40_000);
  assert.deepEqual(kinds(first), ["DATA 2", "DATA 3", "DATA 4", "DATA 1", "DATA 1", "DATA 1"]);
  assert.ok(bytesOf(first, 1) <= 40_000);
  assert.deepEqual(kinds(rig.pullAll()), ["DATA 1", "DATA 1"]);
});

test("two bulk sockets get the same share", () => {
  const rig = new Rig();
  const a = rig.open().socket;
  const b = rig.open().socket;
  rig.pull();
  a.write(data(65_536));
  b.write(data(65_536));
  const frames = [...rig.pull(33_000), ...rig.pull(33_000)];
  assert.ok(Math.abs(bytesOf(frames, 1) - bytesOf(frames, 2)) <= 16_384, `${bytesOf(frames, 1)} and ${bytesOf(frames, 2)}`);
});

test("a turn may be longer than a packet, and each packet has something little", () => {
  const rig = new Rig();
  const [a, b, small] = [rig.open().socket, rig.open().socket, rig.open().socket];
  rig.pull();
  rig.say(opened(1, 100_000), opened(2, 100_000));
  a.write(data(150_000));
  b.write(data(70_000));
  const order: string[] = [];
  for (let frames = rig.pull(40_000, 100_000); frames.length > 0; frames = rig.pull(40_000, 100_000)) {
    order.push(kinds(frames).join(" "));
    if (order.length < 3) small.write(data(10));
  }
  assert.deepEqual(order, ["DATA 1", "DATA 3 DATA 1", "DATA 3 DATA 1 DATA 2", "DATA 2", "DATA 2 DATA 1", "DATA 1"]);
});

test("a socket that ends in its turn leaves it to the next one, whose turn is whole", () => {
  const rig = new Rig();
  const [a, b] = [rig.open().socket, rig.open().socket];
  rig.pull();
  a.write(data(60_000));
  b.write(data(60_000));
  rig.pull(10_000, 16_384);
  a.reset();
  const first = rig.pull(65_536, 16_384).find((f) => f.type === "DATA");
  assert.deepEqual([first?.socket, first?.data.length], [2, 16_384 - 13]);
});

test("who has little left of its turn begins a whole one the next time", () => {
  const rig = new Rig();
  const socket = rig.open().socket;
  rig.pull();
  socket.write(data(14_000));
  rig.pull(10_000, 16_384);
  assert.equal(bytesOf(rig.pull(65_536, 16_384), 1), 4_013);
  socket.write(data(40_000));
  const first = rig.pull(65_536, 16_384).find((f) => f.type === "DATA");
  assert.equal(first?.data.length, 16_384 - 13);
});

test("many that have little to say leave half to the others", () => {
  const rig = new Rig();
  const bulk = rig.open().socket;
  const small = Array.from({ length: 100 }, () => rig.open().socket);
  rig.pull();
  bulk.write(data(60_000));
  for (const s of small) s.write(data(4096));
  const share = bytesOf(rig.pull(65_536, 65_536), 1);
  assert.ok(share > 30_000 && share < 33_000, `${share}`);
});

test("control frames go before data and also when there is no room for data", () => {
  const rig = new Rig();
  const { socket } = rig.open(1000);
  rig.pull();
  socket.write(data(10));
  rig.say(opened(1), { type: "DATA", socket: 1, data: data(1000) });
  socket.consumed(1000);
  rig.open();
  assert.deepEqual(kinds(rig.pull(65536, 0)), ["WINDOW 1", "OPEN 2"]);
  assert.deepEqual(kinds(rig.pull()), ["DATA 1"]);
});

test("credit is given back in pieces of a quarter of the window", () => {
  const rig = new Rig();
  const { socket } = rig.open(1000);
  rig.pull();
  rig.say(opened(1), { type: "DATA", socket: 1, data: data(600) });
  socket.consumed(249);
  assert.deepEqual(rig.pull(), []);
  socket.consumed(1);
  assert.deepEqual(rig.pull(), [{ type: "WINDOW", socket: 1, n: 250 }]);
  assert.deepEqual(rig.pull(), []);
});

test("more data than the window breaks the protocol", () => {
  const rig = new Rig();
  rig.open(1000);
  rig.pull();
  rig.say(opened(1), { type: "DATA", socket: 1, data: data(1000) });
  assert.throws(() => rig.say({ type: "DATA", socket: 1, data: data(1) }), WireError);
});

test("both ends make a clean end, in either order", () => {
  for (const oursFirst of [true, false]) {
    const rig = new Rig();
    const { socket, over, log } = rig.open();
    rig.pull();
    rig.say(opened(1));
    if (oursFirst) {
      socket.eof();
      rig.pull();
    }
    rig.say({ type: "DATA", socket: 1, data: data(5) }, { type: "EOF", socket: 1 });
    assert.equal(over.length, oursFirst ? 1 : 0);
    if (!oursFirst) {
      socket.eof();
      assert.deepEqual(kinds(rig.pull()), ["EOF 1"]);
    }
    assert.deepEqual(over, [cause("closed")]);
    assert.deepEqual(log.filter((l) => l !== "moved"), ["opened 1.2.3.4:7 5.6.7.8:9", "data 5", "eof"]); // prettier-ignore
    assert.equal(rig.empty, 1);
  }
});

test("the last bytes are reported as moved before the end", () => {
  const rig = new Rig();
  const { socket, over, log } = rig.open();
  rig.pull();
  rig.say(opened(1), { type: "EOF", socket: 1 });
  socket.write(data(5));
  socket.eof();
  log.length = 0;
  rig.pull();
  assert.deepEqual([log, over.length], [["moved"], 1]);
});

test("a reset of ours drops everything and is sent only if the proxy knows the socket", () => {
  const rig = new Rig();
  const known = rig.open();
  rig.pull();
  known.socket.write(data(10));
  known.socket.reset();
  const unknown = rig.open();
  unknown.socket.reset();
  assert.deepEqual(rig.pull(), [{ type: "RESET", socket: 1, cause: 7, text: "" }]);
  assert.deepEqual([...known.over, ...unknown.over].map((w) => w.code), ["reset", "reset"]); // prettier-ignore
  rig.say({ type: "DATA", socket: 1, data: data(1) }, { type: "RESET", socket: 1, cause: 7, text: "" });
  assert.deepEqual([rig.pull(), known.over.length], [[], 1]);
});

test("a reset of the proxy ends the socket with its cause, unknown numbers as protocol errors", () => {
  const rig = new Rig();
  const a = rig.open();
  const b = rig.open();
  rig.pull();
  rig.say({ type: "RESET", socket: 1, cause: 4, text: "no" }, { type: "RESET", socket: 2, cause: 99, text: "" });
  assert.deepEqual([a.over, b.over], [[cause("refused", "no")], [cause("protocol-error")]]);
});

test("frames for sockets that were never opened are answered, up to a limit", () => {
  const rig = new Rig();
  rig.say({ type: "RESET", socket: 8, cause: 0, text: "" });
  assert.deepEqual(rig.pull(), []);
  rig.say({ type: "EOF", socket: 9 });
  assert.deepEqual(kinds(rig.pull()), ["RESET 9"]);
  assert.throws(() => {
    for (let i = 0; i < 200; i++) rig.say({ type: "EOF", socket: 10 + i });
  }, WireError);
});

test("the end of the session ends all sockets once", () => {
  const rig = new Rig();
  const all = [rig.open(), rig.open()];
  rig.mux.fail(cause("session-lost"));
  rig.mux.fail(cause("closed"));
  assert.deepEqual(all.map((s) => s.over), [[cause("session-lost")], [cause("session-lost")]]); // prettier-ignore
  assert.equal(rig.empty, 1);
});

test("GOAWAY is handed on", () => {
  const rig = new Rig();
  rig.say({ type: "GOAWAY", socket: 0, cause: 12, retry: 7 });
  assert.deepEqual(rig.goAway, { code: "going-away", retry: 7 });
});
