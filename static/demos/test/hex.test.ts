import assert from "node:assert/strict";
import test from "node:test";

import { dump, fromHex, toHex, visible } from "../src/console/hex.ts";

test("hex: what is read is what was written", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.deepEqual(fromHex(toHex(all)), all);
  assert.deepEqual([...fromHex("0x00, 0xFF 0a0B")], [0, 255, 10, 11]);
  assert.deepEqual([...fromHex("")], []);
});

test("hex: what is no hex is refused with a reason", () => {
  assert.throws(() => fromHex("4g"), /"g" is not a hex digit/);
  assert.throws(() => fromHex("abc"), /missing/);
});

test("hex: a dump has offset, bytes and text", () => {
  assert.equal(dump(new TextEncoder().encode("Hello, comet\n"), 32), [
    "0020  48 65 6c 6c 6f 2c 20 63  Hello, c",
    "0028  6f 6d 65 74 0a           omet.",
  ].join("\n"));
});

test("hex: control characters are made visible, line ends are not", () => {
  assert.equal(visible("a\x00b\x1b\x7f\tc\n"), "a\u2400b\u241b\u2421\tc\n");
});
