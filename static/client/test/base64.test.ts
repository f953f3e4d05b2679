import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBase64url, decodeWithTable, encodeBase64url } from "../src/base64.ts";
import { WireError } from "../src/cause.ts";
import { Random } from "./random.ts";

test("base64 of any length comes back", () => {
  const random = new Random(1);
  for (let n = 0; n < 70; n++) {
    const data = random.bytes(n);
    const text = encodeBase64url(data);
    assert.equal(text, Buffer.from(data).toString("base64url"));
    for (const decode of [decodeBase64url, decodeWithTable]) {
      assert.deepEqual(decode(text), data);
      assert.deepEqual(decode(text + "=".repeat((4 - (text.length % 4)) % 4)), data);
    }
  }
});

test("what is no URL-safe base64 is refused", () => {
  for (const text of ["a", "ab+d", "ab/d", "ab cd", "=", "a===", "abc==", "ab=c", "äbcd", "abcde"]) {
    assert.throws(() => decodeWithTable(text), WireError, text);
  }
});

test("the engine's own decoder is used where there is one", () => {
  const holder = Uint8Array as unknown as { fromBase64?: unknown };
  const before = holder.fromBase64;
  holder.fromBase64 = (text: string, options: object) => {
    assert.deepEqual(options, { alphabet: "base64url" });
    if (text === "wrong") throw new SyntaxError();
    return new Uint8Array([42]);
  };
  try {
    assert.deepEqual(decodeBase64url("Kg"), new Uint8Array([42]));
    assert.throws(() => decodeBase64url("wrong"), WireError);
  } finally {
    holder.fromBase64 = before;
  }
});
