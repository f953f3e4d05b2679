import assert from "node:assert/strict";
import test from "node:test";

import { Stream } from "../src/console/stream.ts";

/** A stream whose bytes come back after they passed through mangle. */
function echoed(mangle: (bytes: Uint8Array) => Uint8Array): Stream {
  const stream: Stream = new Stream(async (bytes) => {
    setImmediate(() => stream.back(mangle(bytes)));
  }, 0);
  return stream;
}

test("stream: what comes back whole is intact", async () => {
  const stream = echoed((bytes) => bytes);
  const done = stream.run();
  setImmediate(() => stream.stop());
  await done;
  assert.ok(stream.sent > 0);
  assert.equal(stream.received, stream.sent);
  assert.equal(stream.intact, true);
});

test("stream: what comes back altered is not intact", async () => {
  const stream = echoed((bytes) => bytes.map((b, i) => (i === 20 ? b ^ 1 : b)));
  const done = stream.run();
  setImmediate(() => stream.stop());
  await done;
  assert.equal(stream.intact, false);
  assert.ok(stream.checker.altered > 0);
});

test("stream: at full speed no more than 4 MiB are on their way", async () => {
  let away = 0;
  const waiting: (() => void)[] = [];
  const stream: Stream = new Stream(async (bytes) => {
    away = Math.max(away, stream.sent - stream.received);
    waiting.push(() => stream.back(bytes));
  }, 0);
  const done = stream.run();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(away, 4 * 1024 * 1024);
  stream.stop();
  waiting.forEach((back) => back());
  await done;
  assert.equal(stream.intact, true);
});
