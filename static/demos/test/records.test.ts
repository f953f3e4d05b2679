import assert from "node:assert/strict";
import test from "node:test";

import { Checker, recordSize, records } from "../src/console/records.ts";

const joined = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);

/** Feeds bytes in pieces of these sizes, over and over. */
function check(bytes: Uint8Array, sizes: number[] = [bytes.length || 1]): Checker {
  const checker = new Checker();
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    checker.take(bytes.subarray(at, at + size));
    at += size;
  }
  return checker;
}

function verdict({ good, lost, doubled, altered }: Checker): object {
  return { good, lost, doubled, altered };
}

const whole = records(0, 100);
const cases: { name: string; bytes: Uint8Array; want: object }[] = [
  { name: "intact", bytes: whole, want: { good: 1600, lost: 0, doubled: 0, altered: 0 } },
  { name: "a record is missing", bytes: joined(records(0, 10), records(11, 89)), want: { good: 1584, lost: 16, doubled: 0, altered: 0 } },
  { name: "a record comes twice", bytes: joined(records(0, 10), records(9, 91)), want: { good: 1600, lost: 0, doubled: 16, altered: 0 } },
  { name: "many come twice", bytes: joined(records(0, 60), records(20, 80)), want: { good: 1600, lost: 0, doubled: 640, altered: 0 } },
  { name: "five bytes are missing", bytes: joined(whole.subarray(0, 165), whole.subarray(170)), want: { good: 1584, lost: 5, doubled: 0, altered: 0 } },
  { name: "five bytes come twice", bytes: joined(whole.subarray(0, 165), whole.subarray(160)), want: { good: 1600, lost: 0, doubled: 5, altered: 0 } },
  { name: "seven bytes are missing across records", bytes: joined(whole.subarray(0, 157), whole.subarray(164)), want: { good: 1568, lost: 7, doubled: 0, altered: 0 } },
];

for (const { name, bytes, want } of cases) {
  test(`checker: ${name}`, () => {
    for (const sizes of [[bytes.length], [1], [7, 16, 3, 31]]) {
      assert.deepEqual(verdict(check(bytes, sizes)), want, `in pieces of ${sizes}`);
    }
  });
}

test("checker: a flipped bit makes its record altered, and nothing lost", () => {
  const bytes = whole.slice();
  bytes[5 * recordSize + 9]! ^= 1;
  assert.deepEqual(verdict(check(bytes)), { good: 1584, lost: 0, doubled: 0, altered: 16 });
});
